package value

import (
	"encoding/json"
	"time"

	"github.com/weir-cdp/weir"
)

// Dynamic is the type of a value that nothing declares: it takes the type of
// what it is compared with.
const Dynamic weir.AttributeType = "dynamic"

// List is the type of a list of texts.
const List weir.AttributeType = "list"

type form uint8

const (
	unknown form = iota
	text
	number
	moment
	list
)

// Value is what a profile or event holds for one name. The zero Value is unknown.
type Value struct {
	form form
	text string
	num  Number
	at   time.Time
	list *[]string
}

// OfText returns a text; the empty text is unknown.
func OfText(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{form: text, text: s}
}

// OfNumber returns a number.
func OfNumber(n Number) Value { return Value{form: number, num: n} }

// OfTime returns a moment.
func OfTime(t time.Time) Value { return Value{form: moment, at: t} }

// OfList returns a list of texts, in its order; the empty list is unknown.
func OfList(items []string) Value {
	if len(items) == 0 {
		return Value{}
	}
	text, err := json.Marshal(items)
	if err != nil {
		panic(err) // texts always marshal
	}
	return Value{form: list, text: string(text), list: &items}
}

// Read reads a canonical text as its declared type. A text that is not of the
// type is unknown; loc places dates.
func Read(s string, typ weir.AttributeType, loc *time.Location) Value {
	if s == "" {
		return Value{}
	}
	switch typ {
	case weir.Number:
		if n, ok := ParseNumber(s); ok {
			return OfNumber(n)
		}
		return Value{}
	case weir.Date, weir.Instant:
		if at, date, ok := ParseMoment(s, loc); ok && (date || typ == weir.Instant) {
			return OfTime(at)
		}
		return Value{}
	case weir.Boolean:
		if s != "true" && s != "false" {
			return Value{}
		}
	}
	return OfText(s)
}

// Known says whether there is a value at all.
func (v Value) Known() bool { return v.form != unknown }

// Number returns the value's number, if it is one.
func (v Value) Number() (Number, bool) { return v.num, v.form == number }

// Time returns the value's moment, if it is one.
func (v Value) Time() (time.Time, bool) { return v.at, v.form == moment }

// Items returns the texts of a list.
func (v Value) Items() []string {
	if v.list == nil {
		return nil
	}
	return *v.list
}

// String returns the canonical text, "" of an unknown; of a list JSON.
func (v Value) String() string {
	switch v.form {
	case number:
		return v.num.String()
	case moment:
		return v.at.UTC().Format(time.RFC3339Nano)
	}
	return v.text
}

// as returns the value in another form; a text may be read as one.
func (v Value) as(f form, loc *time.Location) Value {
	switch {
	case v.form == f || v.form == unknown:
		return v
	case f == list:
		return Value{}
	case f == text:
		return OfText(v.String())
	case v.form != text:
		return Value{}
	case f == number:
		return Read(v.text, weir.Number, loc)
	}
	return Read(v.text, weir.Instant, loc)
}

// Compare orders two values of one form.
func Compare(a, b Value) int {
	switch a.form {
	case number:
		return a.num.Compare(b.num)
	case moment:
		return a.at.Compare(b.at)
	}
	switch {
	case a.text < b.text:
		return -1
	case a.text > b.text:
		return 1
	}
	return 0
}

// Decimal returns the value as a number: also a text that is a plain decimal.
func (v Value) Decimal() (Number, bool) { return v.as(number, time.UTC).Number() }

// Moment returns the value as a moment: also a text that is a date or time.
func (v Value) Moment(loc *time.Location) (time.Time, bool) { return v.as(moment, loc).Time() }
