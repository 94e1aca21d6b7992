package files

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

var utcMicro = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}

// plainType is the type that a column's values are kept in; nil means JSON text
// or, of times of day, text.
func plainType(t arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return plainType(t.ValueType)
	case *arrow.TimestampType:
		return utcMicro
	case *arrow.Decimal128Type:
		return t
	case *arrow.FixedSizeBinaryType:
		return arrow.BinaryTypes.Binary
	}
	switch t.ID() {
	case arrow.STRING, arrow.BINARY, arrow.BOOL, arrow.INT32, arrow.INT64, arrow.FLOAT32, arrow.FLOAT64, arrow.DATE32:
		return t
	case arrow.LARGE_STRING, arrow.STRING_VIEW:
		return arrow.BinaryTypes.String
	case arrow.LARGE_BINARY, arrow.BINARY_VIEW:
		return arrow.BinaryTypes.Binary
	case arrow.INT8, arrow.INT16, arrow.UINT8, arrow.UINT16:
		return arrow.PrimitiveTypes.Int32
	case arrow.UINT32:
		return arrow.PrimitiveTypes.Int64
	case arrow.UINT64:
		return &arrow.Decimal128Type{Precision: 20, Scale: 0}
	case arrow.FLOAT16:
		return arrow.PrimitiveTypes.Float32
	case arrow.DATE64:
		return arrow.FixedWidthTypes.Date32
	}
	return nil
}

// plainArray converts a column to its plain type.
func plainArray(ctx context.Context, a arrow.Array) (arrow.Array, error) {
	if e, ok := a.(array.ExtensionArray); ok { // UUID and the like: their text
		if e.DataType().(arrow.ExtensionType).ExtensionName() != "arrow.json" {
			return texts(a, func(i int) (string, error) { return a.ValueStr(i), nil })
		}
		return plainArray(ctx, e.Storage())
	}
	want := plainType(a.DataType())
	switch {
	case want == nil:
		return jsonTexts(a)
	case a.DataType().ID() == arrow.NULL:
		return texts(a, nil)
	case arrow.TypeEqual(want, a.DataType()):
		a.Retain()
		return a, nil
	}
	if t, ok := a.(*array.Timestamp); ok {
		return microseconds(t), nil
	}
	if u, ok := a.(*array.Uint64); ok { // no cast for it
		b := array.NewDecimal128Builder(memory.DefaultAllocator, want.(*arrow.Decimal128Type))
		defer b.Release()
		for i := range u.Len() {
			if u.IsNull(i) {
				b.AppendNull()
			} else if err := b.AppendValueFromString(u.ValueStr(i)); err != nil {
				return nil, err
			}
		}
		return b.NewArray(), nil
	}
	if d, ok := a.(*array.Dictionary); ok && !arrow.TypeEqual(d.Dictionary().DataType(), want) {
		values, err := compute.CastArray(ctx, a, compute.SafeCastOptions(d.Dictionary().DataType()))
		if err != nil {
			return nil, err
		}
		defer values.Release()
		return plainArray(ctx, values)
	}
	return compute.CastArray(ctx, a, compute.SafeCastOptions(want))
}

// microseconds brings instants to microseconds, rounding down, as UTC. A time
// without a zone is taken for UTC.
func microseconds(t *array.Timestamp) arrow.Array {
	unit := t.DataType().(*arrow.TimestampType).Unit
	b := array.NewTimestampBuilder(memory.DefaultAllocator, utcMicro)
	defer b.Release()
	b.Reserve(t.Len())
	for i := range t.Len() {
		if t.IsNull(i) {
			b.AppendNull()
			continue
		}
		v := int64(t.Value(i))
		switch unit {
		case arrow.Second:
			v *= 1_000_000
		case arrow.Millisecond:
			v *= 1_000
		case arrow.Nanosecond:
			v = (v - (v%1000+1000)%1000) / 1000
		}
		b.Append(arrow.Timestamp(v))
	}
	return b.NewArray()
}

// jsonTexts gives lists and maps as JSON; times of day and the like as text.
func jsonTexts(a arrow.Array) (arrow.Array, error) {
	switch a.DataType().ID() {
	case arrow.LIST, arrow.LARGE_LIST, arrow.FIXED_SIZE_LIST, arrow.MAP, arrow.LIST_VIEW, arrow.LARGE_LIST_VIEW:
		return texts(a, func(i int) (string, error) {
			b, err := json.Marshal(a.GetOneForMarshal(i))
			return string(b), err
		})
	}
	return texts(a, func(i int) (string, error) { return a.ValueStr(i), nil })
}

func texts(a arrow.Array, text func(i int) (string, error)) (arrow.Array, error) {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for i := range a.Len() {
		if text == nil || a.IsNull(i) {
			b.AppendNull()
			continue
		}
		s, err := text(i)
		if err != nil {
			return nil, fmt.Errorf("has no JSON text: %w", err)
		}
		b.Append(s)
	}
	return b.NewArray(), nil
}
