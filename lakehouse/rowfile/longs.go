package rowfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// ReadLongs reads columns of 64-bit integers of one row group of a file, whole:
// millions of values a second more than rows of Go values would be. It says false
// where the file lacks a column, or a row has null in one.
func ReadLongs(ctx context.Context, s *object.Store, f weir.DataFile, group int, columns ...string) (out [][]int64, whole bool, err error) {
	r, err := openFile(ctx, s, f)
	if err != nil {
		return nil, false, err
	}
	defer r.close()
	defer func() { // a damaged page; on a goroutine of the caller's it would end the process
		if p := recover(); p != nil {
			out, whole, err = nil, false, r.failed(fmt.Errorf("panic: %v", p))
		}
	}()
	out = make([][]int64, len(columns))
	for i, name := range columns {
		at := r.pq.MetaData().Schema.ColumnIndexByName(name)
		if at < 0 {
			return nil, false, nil
		}
		values, whole, err := readLongs(r.pq.RowGroup(group), at)
		if err != nil {
			return nil, false, r.failed(err)
		}
		if !whole {
			return nil, false, nil
		}
		out[i] = values
	}
	return out, true, ctx.Err()
}

func readLongs(group *file.RowGroupReader, column int) (values []int64, whole bool, err error) {
	c, err := group.Column(column)
	if err != nil {
		return nil, false, err
	}
	longs, ok := c.(*file.Int64ColumnChunkReader)
	if !ok {
		return nil, false, errors.New("a column has no 64-bit integers")
	}
	rows := group.NumRows()
	values, levels := make([]int64, rows), make([]int16, min(rows, batchRows))
	for at := int64(0); at < rows; {
		n, found, err := longs.ReadBatch(min(rows-at, int64(len(levels))), values[at:], levels, nil)
		if err != nil {
			return nil, false, err
		}
		if n == 0 {
			return nil, false, errors.New("a column has fewer values than rows")
		}
		if int64(found) < n {
			return nil, false, nil
		}
		at += n
	}
	return values, true, nil
}

// WriteLongs writes columns of 64-bit integers as a Parquet file of this machine,
// for an SQL engine to read: many times faster than inserting them.
func WriteLongs(path string, names []string, columns ...[]int64) (err error) {
	fields, arrays := make([]arrow.Field, len(names)), make([]arrow.Array, len(names))
	for i, n := range names {
		fields[i] = arrow.Field{Name: n, Type: arrow.PrimitiveTypes.Int64}
		d := array.NewData(fields[i].Type, len(columns[i]), []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(columns[i]))}, nil, 0, 0)
		arrays[i] = array.NewInt64Data(d)
		d.Release()
	}
	defer func() {
		for _, a := range arrays {
			a.Release()
		}
	}()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return scratchFailed(err)
	}
	defer func() {
		if cerr := f.Close(); err == nil && cerr != nil && !errors.Is(cerr, os.ErrClosed) { // the writer closes it too
			err = scratchFailed(cerr)
		}
	}()
	s := arrow.NewSchema(fields, nil)
	w, err := pqarrow.NewFileWriter(s, f, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Uncompressed), parquet.WithDictionaryDefault(false)), arrowProperties())
	if err != nil {
		return scratchFailed(err)
	}
	rows := array.NewRecordBatch(s, slices.Clone(arrays), int64(arrays[0].Len()))
	defer rows.Release()
	if err := w.Write(rows); err != nil {
		return scratchFailed(err)
	}
	if err := w.Close(); err != nil {
		return scratchFailed(err)
	}
	return nil
}

func scratchFailed(err error) error {
	return weir.Errorf(weir.Unavailable, "can't write a temporary file: %w", err).Then("free space there, or set TMPDIR to a larger disk")
}
