package lakehouse

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// sortRows is how many rows sortedBatches gives at once.
const sortRows = 8 << 10

// sortedBatches yields the rows of the batches in the order of the key columns;
// equal rows keep the order in which they came. A batch is valid until the next.
func sortedBatches(ctx context.Context, fields *arrow.Schema, read []arrow.RecordBatch, key []string) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		if len(read) == 0 {
			return
		}
		columns := make([]arrow.Array, fields.NumFields())
		defer func() {
			for _, c := range columns {
				if c != nil {
					c.Release()
				}
			}
		}()
		for i := range columns {
			parts := make([]arrow.Array, len(read))
			for j, b := range read {
				parts[j] = b.Column(i)
			}
			var err error
			if columns[i], err = array.Concatenate(parts, memory.DefaultAllocator); err != nil {
				yield(nil, err)
				return
			}
		}
		rows := columns[0].Len()
		all := array.NewRecordBatch(fields, columns, int64(rows))
		defer all.Release()
		order := sortedOrder(all, key)
		for part := range slices.Chunk(order, sortRows) {
			b := array.NewInt64Builder(memory.DefaultAllocator)
			b.AppendValues(part, nil)
			indices := b.NewInt64Array()
			b.Release()
			taken, err := takeRows(ctx, all, indices)
			indices.Release()
			if !yield(taken, err) || err != nil {
				return
			}
			taken.Release()
		}
	}
}

func takeRows(ctx context.Context, all arrow.RecordBatch, indices arrow.Array) (arrow.RecordBatch, error) {
	columns := make([]arrow.Array, all.NumCols())
	defer func() {
		for _, c := range columns {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i := range columns {
		var err error
		if columns[i], err = compute.TakeArray(ctx, all.Column(i), indices); err != nil {
			return nil, err
		}
	}
	return array.NewRecordBatch(all.Schema(), columns, int64(indices.Len())), nil
}

func sortedOrder(all arrow.RecordBatch, key []string) []int64 {
	order := make([]int64, all.NumRows())
	for i := range order {
		order[i] = int64(i)
	}
	var compare []func(a, b int) int
	for _, name := range key {
		for _, i := range all.Schema().FieldIndices(name) {
			compare = append(compare, comparer(all.Column(i)))
		}
	}
	slices.SortStableFunc(order, func(a, b int64) int {
		for _, c := range compare {
			if n := c(int(a), int(b)); n != 0 {
				return n
			}
		}
		return 0
	})
	return order
}

// comparer orders two rows of a column; null comes first.
func comparer(c arrow.Array) func(a, b int) int {
	value := func(a, b int) int { return cmp.Compare(c.ValueStr(a), c.ValueStr(b)) }
	switch c := c.(type) {
	case *array.String:
		value = func(a, b int) int { return cmp.Compare(c.Value(a), c.Value(b)) }
	case *array.LargeString:
		value = func(a, b int) int { return cmp.Compare(c.Value(a), c.Value(b)) }
	case *array.Int32:
		value = func(a, b int) int { return cmp.Compare(c.Value(a), c.Value(b)) }
	case *array.Int64:
		value = func(a, b int) int { return cmp.Compare(c.Value(a), c.Value(b)) }
	case *array.Timestamp:
		value = func(a, b int) int { return cmp.Compare(c.Value(a), c.Value(b)) }
	case *array.Date32:
		value = func(a, b int) int { return cmp.Compare(c.Value(a), c.Value(b)) }
	}
	return func(a, b int) int {
		switch {
		case c.IsNull(a) && c.IsNull(b):
			return 0
		case c.IsNull(a):
			return -1
		case c.IsNull(b):
			return 1
		}
		return value(a, b)
	}
}
