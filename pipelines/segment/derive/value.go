package derive

import (
	"strconv"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/conform/mapping"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Profile is what a derived trait reads.
type Profile interface {
	Trait(name string) value.Value
	Attribute(name string) string // canonical text
}

// Value computes the trait. ok is false where an expression cannot be computed
// although everything that it reads is known.
func (t *Trait) Value(p Profile, now time.Time) (_ value.Value, ok bool) {
	switch t.how {
	case "ratio":
		return t.ratio(p), true
	case "since", "until":
		at, known := t.read(p, t.names[0]).Moment(t.loc)
		if !known {
			return value.Value{}, true
		}
		days := value.Days(at, now, t.loc)
		if t.how == "until" {
			days = -days
		}
		return value.OfNumber(value.Whole(int64(days))), true
	}
	v, err := t.expr.Eval(row{t, p})
	if err != nil {
		return value.Value{}, false
	}
	return t.result(v), true
}

// read returns what the profile has for a name.
func (t *Trait) read(p Profile, n name) value.Value {
	if n.trait {
		return p.Trait(n.name)
	}
	return value.Read(p.Attribute(n.name), n.typ, t.loc)
}

func (t *Trait) ratio(p Profile) value.Value {
	a, ok := t.read(p, t.names[0]).Decimal()
	b, ok2 := t.read(p, t.names[1]).Decimal()
	if !ok || !ok2 {
		return value.Value{}
	}
	q, ok := a.Ratio(b)
	if !ok {
		return value.Value{}
	}
	return stored(q)
}

func stored(n value.Number) value.Value {
	if n, ok := n.Stored(); ok {
		return value.OfNumber(n)
	}
	return value.Value{}
}

func (t *Trait) result(v mapping.Value) value.Value {
	switch v.Kind {
	case mapping.Int:
		return value.OfNumber(value.Whole(v.Int))
	case mapping.Decimal:
		return stored(value.OfDecimal(v.Decimal))
	case mapping.Double:
		if n, ok := value.ParseNumber(strconv.FormatFloat(v.Double, 'f', -1, 64)); ok {
			return stored(n)
		}
		return value.Value{}
	case mapping.Instant:
		return value.OfTime(v.Time)
	case mapping.Bool:
		return value.OfText(strconv.FormatBool(v.Int != 0))
	case mapping.Text, mapping.Day:
		return value.OfText(v.Text)
	}
	return value.Value{}
}

// row gives an expression its columns.
type row struct {
	t *Trait
	p Profile
}

// Value implements mapping.Row.
func (r row) Value(i int) mapping.Value {
	n := r.t.names[i]
	v := r.t.read(r.p, n)
	if !v.Known() {
		return mapping.Value{}
	}
	switch n.typ {
	case weir.Number:
		if x, ok := v.Number(); ok {
			return mapping.Value{Kind: mapping.Decimal, Decimal: x.Decimal()}
		}
		return mapping.Value{}
	case weir.Date, weir.Instant:
		if at, ok := v.Time(); ok {
			return mapping.Value{Kind: mapping.Instant, Time: at}
		}
		return mapping.Value{}
	case weir.Boolean:
		if v.String() == "true" {
			return mapping.Value{Kind: mapping.Bool, Int: 1}
		}
		return mapping.Value{Kind: mapping.Bool}
	case value.List:
		var out mapping.Value
		out.Kind = mapping.List
		for _, item := range v.Items() {
			out.List = append(out.List, mapping.Value{Kind: mapping.Text, Text: item})
		}
		return out
	}
	return mapping.Value{Kind: mapping.Text, Text: v.String()}
}

// Attributes returns the attributes that the trait reads.
func (t *Trait) Attributes() []string {
	var out []string
	for _, n := range t.names {
		if !n.trait {
			out = append(out, n.name)
		}
	}
	return out
}

// Now says whether the value may change with time alone, the traits that it
// reads staying the same.
func (t *Trait) Now() bool { return t.how == "since" || t.how == "until" }
