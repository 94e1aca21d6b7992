package stages

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/weir-cdp/weir/connectors"
)

// drifted gives a column the type that the table has for it. A source whose
// column became narrower, or something else, keeps its values where they fit;
// one that does not becomes null and is reported (never a full resync, never a
// lost row).
func (l *landing) drifted(ctx context.Context, b connectors.Batch, col arrow.Array, want arrow.Field) (arrow.Array, error) {
	if arrow.TypeEqual(col.DataType(), want.Type) {
		col.Retain()
		return col, nil
	}
	if want.Type.ID() == arrow.STRING {
		return asText(col), nil
	}
	opts := compute.SafeCastOptions(want.Type)
	if whole, err := compute.CastArray(ctx, col, opts); err == nil {
		return whole, nil
	}
	parts := make([]arrow.Array, col.Len())
	defer func() {
		for _, p := range parts {
			p.Release()
		}
	}()
	for i := range col.Len() {
		one := array.NewSlice(col, int64(i), int64(i+1))
		cast, err := compute.CastArray(ctx, one, opts)
		one.Release()
		if err != nil {
			cast = array.MakeArrayOfNull(memory.DefaultAllocator, want.Type, 1)
			if rerr := l.Reject(ctx, connectors.Rejection{Origin: origin(b, i), Field: want.Name,
				Reason:  "the column was " + want.Type.String() + " and is now " + col.DataType().String() + ": the value does not fit",
				Excerpt: excerpt(col.ValueStr(i))}); rerr != nil {
				cast.Release()
				parts = parts[:i]
				return nil, rerr
			}
		}
		parts[i] = cast
	}
	return array.Concatenate(parts, memory.DefaultAllocator)
}

// asText writes each value as text; null stays null.
func asText(col arrow.Array) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(col.Len())
	for i := range col.Len() {
		if col.IsNull(i) {
			b.AppendNull()
			continue
		}
		b.Append(col.ValueStr(i))
	}
	return b.NewArray()
}

// excerpt shortens a value for ops.quarantine.
func excerpt(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
