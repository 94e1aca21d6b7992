package rowfile

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// ArrowWriter writes Arrow batches as data files of one table. It is used by one
// goroutine.
type ArrowWriter struct {
	files   *fileWriter
	source  *arrow.Schema
	columns []int // for each column of the table, its place in source, or -1
	pending []arrow.RecordBatch
	rows    int
	err     error
}

// NewArrowWriter begins data files of t in a scope, from batches of the given
// schema. Columns go by name: one that the batches lack is null, one that the
// table lacks is an error; types convert to the table's. However the rows are
// cut into batches, the same rows give the same files.
func NewArrowWriter(ctx context.Context, s *object.Store, t schema.Table, as *arrow.Schema, scope string, opts ...Option) (*ArrowWriter, error) {
	files, err := newFileWriter(ctx, s, t, scope, opts)
	if err != nil {
		return nil, err
	}
	w := &ArrowWriter{files: files, source: as, columns: slices.Repeat([]int{-1}, len(t.Columns))}
	for i, f := range as.Fields() {
		at := slices.IndexFunc(t.Columns, func(c schema.Column) bool { return c.Name == f.Name })
		if at < 0 {
			return nil, weir.Errorf(weir.Internal, "column %q is not in the table", f.Name).At(t.Name).
				Then("evolve the table before writing")
		}
		w.columns[at] = i
	}
	for i, c := range t.Columns {
		if c.Required && w.columns[i] < 0 {
			return nil, weir.Errorf(weir.Internal, "the batches lack the required column %s", c.Name).At(t.Name)
		}
	}
	return w, nil
}

// Write appends the rows of a batch, which the caller may release after.
func (w *ArrowWriter) Write(rec arrow.RecordBatch) error {
	if w.err != nil {
		return w.err
	}
	conformed, err := w.conform(rec)
	if err != nil {
		return w.fail(err)
	}
	w.pending = append(w.pending, conformed)
	w.rows += int(conformed.NumRows())
	for chunk := w.files.opts.chunk(); w.rows >= chunk; {
		if err := w.flush(chunk); err != nil {
			return w.fail(err)
		}
	}
	return nil
}

// flush writes the first n pending rows as one batch.
func (w *ArrowWriter) flush(n int) error {
	var parts []arrow.RecordBatch
	defer func() { releaseAll(parts) }()
	for left := int64(n); left > 0; {
		first := w.pending[0]
		take := min(left, first.NumRows())
		parts = append(parts, first.NewSlice(0, take))
		if take < first.NumRows() {
			w.pending[0] = first.NewSlice(take, first.NumRows())
		} else {
			w.pending = w.pending[1:]
		}
		first.Release()
		left -= take
	}
	w.rows -= n
	rec, err := joined(w.files.schema, parts)
	if err != nil {
		return err
	}
	defer rec.Release()
	return w.files.write(rec)
}

func joined(s *arrow.Schema, parts []arrow.RecordBatch) (arrow.RecordBatch, error) {
	if len(parts) == 1 {
		parts[0].Retain()
		return parts[0], nil
	}
	cols := make([]arrow.Array, s.NumFields())
	defer func() {
		for _, c := range cols {
			if c != nil {
				c.Release()
			}
		}
	}()
	var rows int64
	for i := range cols {
		pieces := make([]arrow.Array, len(parts))
		for j, p := range parts {
			pieces[j] = p.Column(i)
		}
		var err error
		if cols[i], err = array.Concatenate(pieces, memory.DefaultAllocator); err != nil {
			return nil, weir.Errorf(weir.Internal, "can't join batches: %w", err)
		}
		rows = int64(cols[i].Len())
	}
	return array.NewRecordBatch(s, cols, rows), nil
}

// conform gives a batch the table's columns and types.
func (w *ArrowWriter) conform(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	if !sameColumns(rec.Schema(), w.source) {
		return nil, weir.Errorf(weir.Internal, "a batch has another schema than was announced").At(w.files.dir)
	}
	cols := make([]arrow.Array, len(w.columns))
	defer func() {
		for _, c := range cols {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i, at := range w.columns {
		f := w.files.schema.Field(i)
		if at < 0 {
			cols[i] = array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, int(rec.NumRows()))
			continue
		}
		col, err := convert(w.files.ctx, rec.Column(at), f.Type)
		if err != nil {
			return nil, weir.Errorf(weir.CodeOf(err), "column %s: %w", f.Name, err).At(w.files.dir)
		}
		cols[i] = col
		if err := checkText(col); err != nil {
			return nil, weir.Errorf(weir.CodeOf(err), "column %s: %w", f.Name, err).At(w.files.dir)
		}
		if !f.Nullable && col.NullN() > 0 {
			return nil, weir.Errorf(weir.Invalid, "column %s is null in a row, but is required", f.Name).At(w.files.dir)
		}
	}
	return array.NewRecordBatch(w.files.schema, cols, rec.NumRows()), nil
}

func sameColumns(a, b *arrow.Schema) bool {
	if a.NumFields() != b.NumFields() {
		return false
	}
	for i := range a.NumFields() {
		if a.Field(i).Name != b.Field(i).Name || !arrow.TypeEqual(a.Field(i).Type, b.Field(i).Type) {
			return false
		}
	}
	return true
}

func (w *ArrowWriter) fail(err error) error {
	w.err = err
	w.files.abort()
	releaseAll(w.pending)
	w.pending = nil
	return err
}

func releaseAll(recs []arrow.RecordBatch) {
	for _, r := range recs {
		r.Release()
	}
}

// Close publishes the last file and returns all; no row, no file.
func (w *ArrowWriter) Close() ([]weir.DataFile, error) {
	if w.err != nil {
		return nil, w.err
	}
	if w.rows > 0 {
		if err := w.flush(w.rows); err != nil {
			return nil, w.fail(err)
		}
	}
	files, err := w.files.all()
	if err != nil {
		return nil, w.fail(err)
	}
	w.err = weir.Errorf(weir.Internal, "the writer is closed").At(w.files.dir)
	return files, nil
}

// Abort drops what is not published yet.
func (w *ArrowWriter) Abort() {
	if w.err == nil {
		w.fail(weir.Errorf(weir.Internal, "the writer was aborted").At(w.files.dir))
	}
}
