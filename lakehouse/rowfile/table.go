package rowfile

import (
	"context"
	"fmt"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// TableWriter writes rows of one noun as data files of one table. It is used by
// one goroutine.
type TableWriter[T any] struct {
	files   *fileWriter
	builder *array.RecordBuilder
	encode  *encoder[T]
	sizes   *sizes
	table   string
	rows    int64 // all rows written
	chunk   int   // of them in the builder
	err     error
}

// NewTableWriter begins data files of t in a scope. T is the noun that is the
// table's row; of weir.Record and weir.Profile each attribute needs a column in t.
// The caller writes rows in the order of the table's key. A zero time is written
// as null, a nil map or list as an empty one.
func NewTableWriter[T any](ctx context.Context, s *object.Store, t schema.Table, scope string, opts ...Option) (*TableWriter[T], error) {
	files, err := newFileWriter(ctx, s, t, scope, opts)
	if err != nil {
		return nil, err
	}
	l, err := layoutOf(reflect.TypeFor[T](), t)
	if err != nil {
		return nil, err
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, files.schema)
	e, err := newEncoder[T](l, b)
	if err != nil {
		return nil, err
	}
	return &TableWriter[T]{files: files, builder: b, encode: e, sizes: newSizes(b), table: t.Name}, nil
}

// Write appends one row. A value that its column can't hold is weir.Invalid and
// names row and column; the writer then accepts nothing more.
func (w *TableWriter[T]) Write(row T) error {
	if w.err != nil {
		return w.err
	}
	if err := w.encode.append(row); err != nil {
		return w.fail(weir.Errorf(weir.CodeOf(err), "%w", err).At(fmt.Sprintf("%s: row %d", w.table, w.rows+1)))
	}
	w.rows++
	w.chunk++
	if w.chunk == w.files.opts.chunk() {
		return w.flush()
	}
	return nil
}

func (w *TableWriter[T]) flush() error {
	if w.chunk == 0 {
		return nil
	}
	w.sizes.measure()
	rec := w.builder.NewRecordBatch()
	defer rec.Release()
	w.sizes.reserve()
	w.chunk = 0
	if err := w.files.write(rec); err != nil {
		return w.fail(err)
	}
	return nil
}

func (w *TableWriter[T]) fail(err error) error {
	w.err = err
	w.files.abort()
	return err
}

// Close publishes the last file and returns all; no row, no file.
func (w *TableWriter[T]) Close() ([]weir.DataFile, error) {
	if w.err == nil {
		w.flush()
	}
	var files []weir.DataFile
	if w.err == nil {
		files, w.err = w.files.all()
	}
	w.builder.Release()
	if w.err != nil {
		w.files.abort()
		return nil, w.err
	}
	w.err = weir.Errorf(weir.Internal, "the writer is closed").At(w.table)
	return files, nil
}

// Abort drops what is not published yet. Files published before stay: they are
// part of no table, and maintenance removes them.
func (w *TableWriter[T]) Abort() {
	if w.err == nil {
		w.fail(weir.Errorf(weir.Internal, "the writer was aborted").At(w.table))
		w.builder.Release()
	}
}
