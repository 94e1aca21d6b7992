package value

import (
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
)

// piece compiles contains, starts_with and ends_with.
func (t Test) piece(c weir.Comparison, typ weir.AttributeType) (Test, error) {
	if typ == List && c.Op == "contains" {
		t.form = list
		for _, s := range c.Values {
			t.operands = append(t.operands, OfText(s))
		}
		return t, nil
	}
	if typ != weir.Text && typ != "" && !t.dynamic {
		return Test{}, weir.Errorf(weir.Invalid, "%s needs a text, and this is a %s", c.Op, typ)
	}
	t.form = text
	for _, s := range c.Values {
		if s == "" {
			return Test{}, weir.Errorf(weir.Invalid, "%s takes no empty text", c.Op).Then("use exists: true to ask for any text")
		}
		t.operands = append(t.operands, OfText(s))
	}
	return t, nil
}

func (t Test) hasPiece(s string) bool {
	for i := range t.operands {
		var found bool
		switch piece := t.operands[i].text; t.op {
		case "contains":
			found = strings.Contains(s, piece)
		case "starts_with":
			found = strings.HasPrefix(s, piece)
		default:
			found = strings.HasSuffix(s, piece)
		}
		if found {
			return true
		}
	}
	return false
}

// hasItem says whether a list has one of the operands; a number is any spelling
// of it.
func (t Test) hasItem(items []string) bool {
	for _, item := range items {
		for _, o := range t.operands {
			if item == o.text {
				return true
			}
			a, ok := ParseNumber(item)
			b, ok2 := ParseNumber(o.text)
			if ok && ok2 && a.Compare(b) == 0 {
				return true
			}
		}
	}
	return false
}

// longList is from how many operands on `in` looks them up by hash.
const longList = 16

// hash prepares the operands of `in` for look-ups.
func (t *Test) hash() {
	if len(t.operands) < longList {
		slices.SortFunc(t.operands, order)
		return
	}
	t.many = make(map[Value]struct{}, len(t.operands))
	for _, v := range t.operands {
		t.many[v.comparable()] = struct{}{}
	}
	t.operands = nil
}

// comparable returns a value that is == to that of every equal value: a wide
// number and a moment are replaced by their canonical texts.
func (v Value) comparable() Value {
	if v.form == moment || v.form == number && v.num.wide != nil {
		return Value{form: v.form, text: v.String()}
	}
	return v
}
