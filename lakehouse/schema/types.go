package schema

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/weir-cdp/weir"
)

// Type is a column's type, as text: one of the constants, decimal(p,s), list(T)
// or map(K,V).
type Type string

// The plain types.
const (
	Text           Type = "text"            // UTF-8
	Long           Type = "long"            // 64 bits, signed
	Int            Type = "int"             // 32 bits, signed
	Double         Type = "double"          // 64 bits, IEEE 754
	Boolean        Type = "boolean"         //
	Date           Type = "date"            // a calendar day
	Timestamp      Type = "timestamp"       // an instant: UTC, microseconds (Iceberg timestamptz)
	LocalTimestamp Type = "local_timestamp" // a wall clock's reading without a zone, microseconds (Iceberg timestamp); raw tables only
	Binary         Type = "binary"          //
)

// Amount is the type of number attributes and traits.
const Amount Type = "decimal(38,9)"

// Decimal makes decimal(precision,scale).
func Decimal(precision, scale int) Type {
	return Type(fmt.Sprintf("decimal(%d,%d)", precision, scale))
}

// List makes list(element).
func List(element Type) Type { return Type("list(" + string(element) + ")") }

// Map makes map(key,value).
func Map(key, value Type) Type { return Type("map(" + string(key) + "," + string(value) + ")") }

// Decimal returns the precision and scale of a decimal type.
func (t Type) Decimal() (precision, scale int, ok bool) {
	in, ok := t.inside("decimal")
	if !ok {
		return 0, 0, false
	}
	p, s, ok := strings.Cut(in, ",")
	precision, err1 := strconv.Atoi(strings.TrimSpace(p))
	scale, err2 := strconv.Atoi(strings.TrimSpace(s))
	ok = ok && err1 == nil && err2 == nil && precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision
	return precision, scale, ok
}

// Element returns the element type of a list type.
func (t Type) Element() (Type, bool) {
	in, ok := t.inside("list")
	return Type(in), ok
}

// KeyValue returns the key and value types of a map type.
func (t Type) KeyValue() (key, value Type, ok bool) {
	in, ok := t.inside("map")
	if !ok {
		return "", "", false
	}
	depth := 0
	for i, c := range in {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				return Type(in[:i]), Type(strings.TrimSpace(in[i+1:])), true
			}
		}
	}
	return "", "", false
}

func (t Type) inside(word string) (string, bool) {
	rest, ok := strings.CutPrefix(string(t), word+"(")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, ")")
}

// Check says whether t is a type.
func (t Type) Check() error {
	switch t {
	case Text, Long, Int, Double, Boolean, Date, Timestamp, LocalTimestamp, Binary:
		return nil
	}
	if _, _, ok := t.Decimal(); ok {
		return nil
	}
	if e, ok := t.Element(); ok {
		return e.Check()
	}
	if k, v, ok := t.KeyValue(); ok {
		if err := k.Check(); err != nil {
			return err
		}
		return v.Check()
	}
	return weir.Errorf(weir.Invalid, "%q is no column type", string(t)).
		Then("use text, long, int, double, boolean, date, timestamp, decimal(p,s), binary, list(T) or map(K,V)")
}

// Subs says how many ids lie below a column of this type: of a list its element,
// of a map its key and value, and what lies below those. In Column.Sub they
// stand in this order: key, value (or element), then what is below the value.
func (t Type) Subs() int {
	if e, ok := t.Element(); ok {
		return 1 + e.Subs()
	}
	if k, v, ok := t.KeyValue(); ok {
		return 2 + k.Subs() + v.Subs()
	}
	return 0
}

// Widens says whether a column of type t may become type to without rewriting
// its files: int to long, or a decimal of more digits before the point. Equal
// types widen.
func (t Type) Widens(to Type) bool {
	if t == to || t == Int && to == Long {
		return true
	}
	p, s, ok := t.Decimal()
	p2, s2, ok2 := to.Decimal()
	return ok && ok2 && s == s2 && p2 >= p
}

// Of returns the column type of an attribute.
func Of(a weir.AttributeType) Type {
	switch a {
	case weir.Number:
		return Amount
	case weir.Date:
		return Date
	case weir.Instant:
		return Timestamp
	case weir.Boolean:
		return Boolean
	}
	return Text
}
