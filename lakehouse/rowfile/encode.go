package rowfile

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/weir-cdp/weir"
)

// appendTyped appends a canonical text to a typed column. An empty text is null,
// except in a text column.
func appendTyped(b array.Builder, s string) error {
	if text, ok := b.(*array.StringBuilder); ok {
		return appendText(text, s)
	}
	if s == "" {
		b.AppendNull()
		return nil
	}
	switch b := b.(type) {
	case *array.Decimal128Builder:
		t := b.Type().(*arrow.Decimal128Type)
		n, err := parseDecimal(s, t.Precision, t.Scale)
		if err != nil {
			return err
		}
		b.Append(n)
	case *array.Date32Builder:
		d, err := parseDate(s)
		if err != nil {
			return err
		}
		b.Append(d)
	case *array.TimestampBuilder:
		t, err := parseInstant(s)
		if err != nil {
			return err
		}
		b.Append(t)
	case *array.BooleanBuilder:
		v, err := parseBoolean(s)
		if err != nil {
			return err
		}
		b.Append(v)
	default:
		return weir.Errorf(weir.Internal, "text can't be written to a column of type %s", b.Type())
	}
	return nil
}

func appendText(b *array.StringBuilder, s string) error {
	if !utf8.ValidString(s) {
		return weir.Errorf(weir.Invalid, "is not valid UTF-8")
	}
	b.Append(s)
	return nil
}

func appendTime(b *array.TimestampBuilder, t time.Time, required bool) {
	if t.IsZero() && !required {
		b.AppendNull()
		return
	}
	b.Append(arrow.Timestamp(t.UnixMicro()))
}

func appendTexts(b *array.ListBuilder, values []string) error {
	b.Append(true)
	in := b.ValueBuilder().(*array.StringBuilder)
	for _, v := range values {
		if err := appendText(in, v); err != nil {
			return err
		}
	}
	return nil
}

// mapAppender appends maps in the order of their keys; it keeps its buffer.
type mapAppender struct{ keys []string }

func sortedKeys[V any](a *mapAppender, m map[string]V) []string {
	a.keys = a.keys[:0]
	for k := range m {
		a.keys = append(a.keys, k)
	}
	slices.Sort(a.keys)
	return a.keys
}

func appendMap[V any](a *mapAppender, b *array.MapBuilder, m map[string]V, item func(V) error) error {
	b.Append(true)
	keys := b.KeyBuilder().(*array.StringBuilder)
	for _, k := range sortedKeys(a, m) {
		if err := appendText(keys, k); err != nil {
			return err
		}
		if err := item(m[k]); err != nil {
			return err
		}
	}
	return nil
}
