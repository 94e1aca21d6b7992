package files

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	pqfile "github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

const parquetBatchRows = 16 << 10

// sized gives arrow's reader what it needs: ReadAt and, to find the end, Seek.
type sized struct{ *io.SectionReader }

// readParquet reads row groups one after the other, each in batches.
func readParquet(ctx context.Context, f file, out *out) (err error) {
	// arrow-go panics on some broken files.
	defer func() {
		if p := recover(); p != nil {
			err = brokenParquet(fmt.Errorf("%v", p))
		}
	}()
	if f.Size() == 0 {
		return nil // an empty file has no rows
	}
	props := parquet.NewReaderProperties(memory.DefaultAllocator)
	props.BufferedStreamEnabled, props.BufferSize = true, 1<<20
	pf, err := pqfile.NewParquetReader(sized{io.NewSectionReader(f, 0, f.Size())}, pqfile.WithReadProps(props))
	if err != nil {
		return brokenParquet(err)
	}
	defer func() { _ = pf.Close() }()
	r, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{BatchSize: parquetBatchRows}, memory.DefaultAllocator)
	if err != nil {
		return brokenParquet(err)
	}
	row := int64(1)
	for g := range pf.NumRowGroups() {
		if row, err = readRowGroup(ctx, r, g, row, out); err != nil {
			return err
		}
	}
	return nil
}

// readRowGroup sends a row group's rows, numbered from row.
func readRowGroup(ctx context.Context, r *pqarrow.FileReader, group int, row int64, out *out) (int64, error) {
	rr, err := r.GetRecordReader(ctx, nil, []int{group})
	if err != nil {
		return row, brokenParquet(err)
	}
	defer rr.Release()
	for rr.Next() {
		if err := ctx.Err(); err != nil {
			return row, err
		}
		flat, err := flattenRecord(ctx, rr.RecordBatch())
		if err != nil {
			return row, err
		}
		lines := make([]int64, flat.NumRows())
		for i := range lines {
			lines[i] = row
			row++
		}
		if len(lines) == 0 {
			flat.Release()
			continue
		}
		if err := out.send(item{batch: connectors.Batch{Rows: flat, Origin: out.origin, Lines: lines}}); err != nil {
			return row, err
		}
	}
	if err := rr.Err(); err != nil && err != io.EOF { //nolint:errorlint // the reader's bare end
		return row, brokenParquet(err)
	}
	return row, nil
}

func brokenParquet(err error) error {
	return weir.Errorf(weir.Invalid, "is not a whole Parquet file: %w", err).
		Then("write it again, whole; none of its rows were taken")
}

// flattenRecord makes a batch of plain columns: structs by dotted names, lists
// and maps as JSON text, dictionaries and small types as what the lake has.
func flattenRecord(ctx context.Context, in arrow.RecordBatch) (arrow.RecordBatch, error) {
	var fields []arrow.Field
	var cols []arrow.Array
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	seen := map[string]bool{}
	var walk func(name string, a arrow.Array) error
	walk = func(name string, a arrow.Array) error {
		if s, ok := a.(*array.Struct); ok {
			for i, f := range s.DataType().(*arrow.StructType).Fields() {
				child := structField(s, i)
				err := walk(name+"."+f.Name, child)
				child.Release()
				if err != nil {
					return err
				}
			}
			return nil
		}
		if seen[name] {
			return weir.Errorf(weir.Invalid, "has two columns %q (one nested, one with a dot, or twice the same)", name).Then("rename one of them")
		}
		seen[name] = true
		c, err := plainArray(ctx, a)
		if err != nil {
			return fmt.Errorf("column %q: %w", name, err)
		}
		cols = append(cols, c)
		fields = append(fields, arrow.Field{Name: name, Type: c.DataType(), Nullable: true})
		return nil
	}
	for i, f := range in.Schema().Fields() {
		if err := walk(f.Name, in.Column(i)); err != nil {
			return nil, err
		}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, in.NumRows()), nil
}

// structField gives a struct's child with the struct's own nulls.
func structField(s *array.Struct, i int) arrow.Array {
	child := s.Field(i)
	if s.NullN() == 0 {
		child.Retain()
		return child
	}
	old, n := child.Data(), s.Len()
	offset := old.Offset()
	valid, nulls := make([]byte, (offset+n+7)/8), 0
	for j := range n {
		if s.IsNull(j) || child.IsNull(j) {
			nulls++
		} else {
			valid[(offset+j)>>3] |= 1 << ((offset + j) & 7)
		}
	}
	buffers := append([]*memory.Buffer{memory.NewBufferBytes(valid)}, old.Buffers()[1:]...)
	var data arrow.ArrayData
	if dictionary, ok := old.Dictionary().(*array.Data); ok && dictionary != nil {
		data = array.NewDataWithDictionary(old.DataType(), n, buffers, nulls, offset, dictionary)
	} else {
		data = array.NewData(old.DataType(), n, buffers, old.Children(), nulls, offset)
	}
	defer data.Release()
	return array.MakeFromData(data)
}
