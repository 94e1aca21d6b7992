package rowfile

import (
	"context"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/weir-cdp/weir"
)

// convert returns a column in the wanted type: as it is, cast without loss, or
// as text. Times finer than a microsecond are cut to it.
func convert(ctx context.Context, a arrow.Array, want arrow.DataType) (arrow.Array, error) {
	if arrow.TypeEqual(a.DataType(), want) {
		a.Retain()
		return a, nil
	}
	switch t := a.(type) {
	case array.ExtensionArray:
		return convert(ctx, t.Storage(), want)
	case *array.Null:
		return array.MakeArrayOfNull(memory.DefaultAllocator, want, a.Len()), nil
	case *array.Dictionary:
		return undictionary(ctx, t, want)
	}
	if from, ok := a.DataType().(*arrow.TimestampType); ok {
		if to, ok := want.(*arrow.TimestampType); ok && from.Unit == to.Unit && (from.TimeZone == "") == (to.TimeZone == "") {
			return retyped(a, want), nil // the zone is a way to show an instant, not a part of it
		}
	}
	if want.ID() == arrow.STRING && !textLike(a.DataType()) {
		return asText(a)
	}
	opts := compute.SafeCastOptions(want)
	opts.AllowTimeTruncate = true
	out, err := compute.CastArray(ctx, a, opts)
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "%s can't be converted to %s: %w", a.DataType(), want, err)
	}
	if !arrow.TypeEqual(out.DataType(), want) {
		defer out.Release()
		return retyped(out, want), nil
	}
	return out, nil
}

// checkText finds a text that is no UTF-8: readers would refuse the whole file.
func checkText(a arrow.Array) error {
	switch a := a.(type) {
	case *array.String:
		if wholeText(a) {
			return nil
		}
		for i := range a.Len() {
			if !utf8.ValidString(a.Value(i)) {
				return weir.Errorf(weir.Invalid, "a text in row %d of a batch is not valid UTF-8", i+1).
					Then("state the source's encoding, so that it is converted")
			}
		}
	case *array.Map:
		if err := checkText(a.Keys()); err != nil {
			return err
		}
		return checkText(a.Items())
	case *array.List:
		return checkText(a.ListValues())
	}
	return nil
}

// wholeText says that a column's texts are UTF-8, by a look at all their bytes at
// once. Where it says no, one of the texts may still be the only one that is not.
func wholeText(a *array.String) bool {
	data, offsets := a.ValueBytes(), a.ValueOffsets()
	if !utf8.Valid(data) {
		return false
	}
	for _, o := range offsets {
		if at := int(o - offsets[0]); at < len(data) && !utf8.RuneStart(data[at]) {
			return false
		}
	}
	return true
}

// retyped gives an array another type of the same layout.
func retyped(a arrow.Array, want arrow.DataType) arrow.Array {
	d := a.Data()
	data := array.NewData(want, d.Len(), d.Buffers(), d.Children(), d.NullN(), d.Offset())
	defer data.Release()
	return array.MakeFromData(data)
}

func textLike(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW, arrow.BINARY, arrow.LARGE_BINARY:
		return true
	}
	return false
}

// asText writes each value as Arrow shows it: numbers plainly, structs as JSON.
func asText(a arrow.Array) (arrow.Array, error) {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(a.Len())
	for i := range a.Len() {
		if a.IsNull(i) {
			b.AppendNull()
			continue
		}
		b.Append(a.ValueStr(i))
	}
	return b.NewArray(), nil
}

func undictionary(ctx context.Context, d *array.Dictionary, want arrow.DataType) (arrow.Array, error) {
	values, err := convert(ctx, d.Dictionary(), want)
	if err != nil {
		return nil, err
	}
	defer values.Release()
	b := array.NewBuilder(memory.DefaultAllocator, want)
	defer b.Release()
	b.Reserve(d.Len())
	for i := range d.Len() {
		at := 0
		if !d.IsNull(i) {
			at = d.GetValueIndex(i)
		}
		if d.IsNull(i) || values.IsNull(at) {
			b.AppendNull()
			continue
		}
		if text, ok := b.(*array.StringBuilder); ok {
			text.Append(values.(*array.String).Value(at))
			continue
		}
		if err := b.AppendValueFromString(values.ValueStr(at)); err != nil {
			return nil, weir.Errorf(weir.Invalid, "a dictionary's value can't be read: %w", err)
		}
	}
	return b.NewArray(), nil
}
