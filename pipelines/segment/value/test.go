package value

import (
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// Operators lists the operators of a comparison.
func Operators() []string {
	return []string{"is", "is_not", "in", "at_least", "at_most", "more_than", "less_than", "between", "exists", "older_than", "newer_than",
		"contains", "starts_with", "ends_with", "anniversary"}
}

// Test is one comparison, compiled for values of one declared type.
type Test struct {
	op       string
	form     form
	dynamic  bool
	operands []Value            // of in: sorted
	many     map[Value]struct{} // of a long in: its operands
	span     Span
	wanted   bool // of exists
	days     int  // of anniversary: how many ahead; less than 0: how many back
	loc      *time.Location
}

// Compile compiles a comparison for values of a type; loc places dates. The
// error says what is wrong with operator or operands.
func Compile(c weir.Comparison, typ weir.AttributeType, loc *time.Location) (Test, error) {
	t := Test{op: c.Op, dynamic: typ == Dynamic, loc: loc}
	if err := arity(c); err != nil {
		return Test{}, err
	}
	switch c.Op {
	case "exists":
		t.wanted = c.Values[0] == "true"
		if !t.wanted && c.Values[0] != "false" {
			return Test{}, weir.Errorf(weir.Invalid, "exists takes true or false, not %q", c.Values[0])
		}
		return t, nil
	case "older_than", "newer_than":
		if typ != weir.Date && typ != weir.Instant && !t.dynamic {
			return Test{}, weir.Errorf(weir.Invalid, "%s needs a date or time, and this is a %s", c.Op, typ)
		}
		var err error
		t.form = moment
		t.span, err = ParseSpan(c.Values[0])
		return t, err
	case "anniversary":
		return t.anniversary(c, typ)
	case "contains", "starts_with", "ends_with":
		return t.piece(c, typ)
	}
	if typ == List {
		return Test{}, weir.Errorf(weir.Invalid, "%s has no meaning for a list", c.Op).Then("use contains or exists")
	}
	if typ == weir.Boolean && ordered(c.Op) {
		return Test{}, weir.Errorf(weir.Invalid, "%s has no meaning for true and false", c.Op).Then("use is")
	}
	if err := t.read(c, typ); err != nil {
		return Test{}, err
	}
	if c.Op == "between" && Compare(t.operands[0], t.operands[1]) > 0 {
		return Test{}, weir.Errorf(weir.Invalid, "between has its ends in the wrong order: %s", strings.Join(c.Values, ", "))
	}
	if c.Op == "in" {
		t.hash()
	}
	return t, nil
}

// CompileAll compiles comparisons that must all hold; it stops at the first error.
func CompileAll(cs []weir.Comparison, typ weir.AttributeType, loc *time.Location) ([]Test, error) {
	out := make([]Test, 0, len(cs))
	for _, c := range cs {
		t, err := Compile(c, typ, loc)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func ordered(op string) bool {
	switch op {
	case "at_least", "at_most", "more_than", "less_than", "between":
		return true
	}
	return false
}

func equality(op string) bool { return op == "is" || op == "is_not" || op == "in" }

// several says whether the operator takes any number of values.
func several(op string) bool {
	switch op {
	case "in", "contains", "starts_with", "ends_with":
		return true
	}
	return false
}

func arity(c weir.Comparison) error {
	if !slices.Contains(Operators(), c.Op) {
		return weir.Errorf(weir.Invalid, "there is no operator %q", c.Op).Then("use one of " + strings.Join(Operators(), ", "))
	}
	switch n := len(c.Values); {
	case c.Op == "between" && n != 2:
		return weir.Errorf(weir.Invalid, "between takes two values, not %d", n)
	case several(c.Op) && n == 0:
		return weir.Errorf(weir.Invalid, "%s takes a list of at least one value", c.Op)
	case c.Op == "anniversary" && n != 2:
		return weir.Errorf(weir.Invalid, "anniversary takes next or last and a number of days").Then("write it like anniversary: {next: 7d}")
	case c.Op != "between" && c.Op != "anniversary" && !several(c.Op) && n != 1:
		return weir.Errorf(weir.Invalid, "%s takes one value, not %d", c.Op, n)
	}
	return nil
}

// read reads the operands as the type, or finds the type from them.
func (t *Test) read(c weir.Comparison, typ weir.AttributeType) error {
	if t.dynamic {
		t.readDynamic(c)
		return nil
	}
	t.form = map[weir.AttributeType]form{weir.Number: number, weir.Date: moment, weir.Instant: moment}[typ]
	if t.form == unknown {
		t.form = text
	}
	for _, s := range c.Values {
		if t.form == text && ordered(c.Op) && looksOrdered(s, t.loc) {
			return weir.Errorf(weir.Invalid, "%s %s would compare letters, because this is a text", c.Op, s).
				Then("declare its type (number, date or time) where it is mapped")
		}
		v := Read(s, typ, t.loc)
		if !v.Known() {
			return weir.Errorf(weir.Invalid, "%q is no %s", s, typ)
		}
		t.operands = append(t.operands, v)
	}
	return nil
}

func looksOrdered(s string, loc *time.Location) bool {
	if _, ok := ParseNumber(s); ok {
		return true
	}
	_, _, ok := ParseMoment(s, loc)
	return ok
}

func (t *Test) readDynamic(c weir.Comparison) {
	t.form = text
	if ordered(c.Op) {
		for _, f := range []form{number, moment} {
			if all(c.Values, func(s string) bool { return OfText(s).as(f, t.loc).Known() }) {
				t.form = f
				break
			}
		}
	}
	for _, s := range c.Values {
		v := Value{form: text, text: s}
		if t.form != text {
			v = v.as(t.form, t.loc)
		} else if n, ok := ParseNumber(s); ok && !ordered(c.Op) {
			v = OfNumber(n)
		}
		t.operands = append(t.operands, v)
	}
}

func all(ss []string, f func(string) bool) bool {
	for _, s := range ss {
		if !f(s) {
			return false
		}
	}
	return true
}

// order sorts operands of mixed forms.
func order(a, b Value) int {
	if a.form != b.form {
		return int(a.form) - int(b.form)
	}
	return Compare(a, b)
}

// Now says whether the test's outcome for a value may change with time alone.
func (t Test) Now() bool {
	return t.op == "older_than" || t.op == "newer_than" || t.op == "anniversary"
}

// Holds says whether the value passes at the moment now.
func (t Test) Holds(v Value, now time.Time) bool {
	if t.op == "exists" {
		return v.Known() == t.wanted
	}
	if !v.Known() {
		return false
	}
	if t.dynamic && equality(t.op) {
		return t.equal(v)
	}
	if v = v.as(t.form, t.loc); !v.Known() {
		return false
	}
	if t.form == list {
		return t.hasItem(v.Items())
	}
	switch t.op {
	case "older_than":
		return v.at.Before(t.span.Before(now, t.loc))
	case "newer_than":
		return !v.at.Before(t.span.Before(now, t.loc))
	case "anniversary":
		return t.celebrates(v.at, now)
	case "contains", "starts_with", "ends_with":
		return t.hasPiece(v.text)
	case "is", "is_not", "in":
		return t.member(v) != (t.op == "is_not")
	}
	c := Compare(v, t.operands[0])
	switch t.op {
	case "at_least":
		return c >= 0
	case "at_most":
		return c <= 0
	case "more_than":
		return c > 0
	case "less_than":
		return c < 0
	}
	return c >= 0 && Compare(v, t.operands[1]) <= 0
}

func (t Test) member(v Value) bool {
	if t.many != nil {
		_, found := t.many[v.comparable()]
		return found
	}
	i := sort.Search(len(t.operands), func(i int) bool { return order(t.operands[i], v) >= 0 })
	return i < len(t.operands) && order(t.operands[i], v) == 0
}

// equal is is, is_not and in of an undeclared value: as a number where it is
// one, else as a text.
func (t Test) equal(v Value) bool {
	found := false
	if n := v.as(number, t.loc); n.Known() {
		found = t.member(n)
	}
	if !found {
		found = t.member(v.as(text, t.loc))
	}
	return found != (t.op == "is_not")
}

// HoldsAll says whether the value passes all tests.
func HoldsAll(tests []Test, v Value, now time.Time) bool {
	for i := range tests {
		if !tests[i].Holds(v, now) {
			return false
		}
	}
	return true
}
