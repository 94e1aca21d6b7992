package mapping

import (
	"encoding/json"
	"sort"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// Kind is the type of a column or value.
type Kind uint8

// The kinds. Null is of values only.
const (
	Null Kind = iota
	Text
	Int
	Double
	Decimal
	Bool
	Instant
	Day  // a calendar day; its Text is 2006-01-02
	List // of texts
	Map  // of texts
)

func (k Kind) String() string {
	return [...]string{"null", "text", "int", "double", "decimal", "boolean", "time", "date", "list", "map"}[k]
}

// Column is one column that the stream's raw table has.
type Column struct {
	Name string
	Kind Kind
}

// Value is one value of a row. The zero Value is null.
type Value struct {
	Kind    Kind
	Text    string // of Text and Day
	Int     int64  // of Int; 1 or 0 of Bool
	Double  float64
	Decimal decimal.Decimal
	Time    time.Time
	List    []Value
	Map     map[string]Value
}

// Row gives the values of one row by column index, as given to Compile.
type Row interface{ Value(column int) Value }

// IsNull reports a missing value. An empty text is one: a CSV file can't tell
// the two apart, so nothing does.
func (v Value) IsNull() bool { return v.Kind == Null || v.Kind == Text && v.Text == "" }

// String returns the value's text: numbers plain, times in RFC 3339 (UTC), lists
// and maps as JSON; null is "".
func (v Value) String() string {
	switch v.Kind {
	case Text, Day:
		return v.Text
	case Int:
		return strconv.FormatInt(v.Int, 10)
	case Double:
		return strconv.FormatFloat(v.Double, 'f', -1, 64)
	case Decimal:
		return v.Decimal.String()
	case Bool:
		return strconv.FormatBool(v.Int != 0)
	case Instant:
		return v.Time.UTC().Format("2006-01-02T15:04:05.999999Z07:00")
	case List, Map:
		text, err := json.Marshal(v.plain())
		if err == nil {
			return string(text)
		}
	}
	return ""
}

// plain is the value for encoding/json, which sorts the keys of maps.
func (v Value) plain() any {
	switch v.Kind {
	case Null:
		return nil
	case Bool:
		return v.Int != 0
	case Int, Decimal:
		return json.Number(v.String())
	case Double:
		return v.Double
	case List:
		out := make([]any, len(v.List))
		for i, e := range v.List {
			out[i] = e.plain()
		}
		return out
	case Map:
		out := make(map[string]any, len(v.Map))
		for k, e := range v.Map {
			out[k] = e.plain()
		}
		return out
	}
	return v.String()
}

// Keys returns a map's keys in order.
func (v Value) Keys() []string {
	keys := make([]string, 0, len(v.Map))
	for k := range v.Map {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
