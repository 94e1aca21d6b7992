package rowfile

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// batchRows is how many rows a reader decodes at once.
const batchRows = 8 << 10

// fileReader is one open data file.
type fileReader struct {
	path  string
	at    io.ReaderAt
	pq    *file.Reader
	arrow *pqarrow.FileReader
}

func openFile(ctx context.Context, s *object.Store, f weir.DataFile) (*fileReader, error) {
	at := s.ReaderAt(ctx, f.Path, f.Bytes)
	r := &fileReader{path: f.Path, at: at}
	pq, err := file.NewParquetReader(io.NewSectionReader(at, 0, f.Bytes))
	if err != nil {
		r.close()
		return nil, r.failed(err)
	}
	r.pq = pq
	r.arrow, err = pqarrow.NewFileReader(pq, pqarrow.ArrowReadProperties{BatchSize: batchRows}, memory.DefaultAllocator)
	if err != nil {
		r.close()
		return nil, r.failed(err)
	}
	return r, nil
}

func (r *fileReader) close() {
	if c, ok := r.at.(io.Closer); ok {
		c.Close()
	}
}

func (r *fileReader) failed(err error) error {
	if code := weir.CodeOf(err); code != weir.Internal {
		return err
	}
	return weir.Errorf(weir.Internal, "can't read Parquet: %w", err).At(r.path).
		Then("the file is damaged or not one of the lake's: check the object store, then `weir doctor`")
}

// batches yields the wanted columns (nil: all) of the row groups (nil: all) of a
// file, at most batchRows rows at a time. A column that the file lacks is absent. A
// batch is valid until the next step.
func (r *fileReader) batches(ctx context.Context, want func(column string) bool, groups []int) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		ps := r.pq.MetaData().Schema
		leaves := []int{}
		for i := range ps.NumColumns() {
			if want == nil || want(ps.Column(i).ColumnPath()[0]) {
				leaves = append(leaves, i)
			}
		}
		if len(leaves) == 0 {
			if ps.NumColumns() == 0 {
				return
			}
			leaves = []int{0} // for the number of rows
		}
		rr, err := r.arrow.GetRecordReader(ctx, leaves, groups)
		if err != nil {
			yield(nil, r.failed(err))
			return
		}
		defer rr.Release()
		for rr.Next() {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if !yield(rr.RecordBatch(), nil) {
				return
			}
		}
		if err := rr.Err(); err != nil && !errors.Is(err, io.EOF) {
			yield(nil, r.failed(err))
		}
	}
}

// readFiles yields the batches of files in turn.
func readFiles(ctx context.Context, s *object.Store, files []weir.DataFile, want func(string) bool, groups []int) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for _, f := range files {
			r, err := openFile(ctx, s, f)
			if err != nil {
				yield(nil, err)
				return
			}
			for rec, err := range r.batches(ctx, want, groups) {
				if !yield(rec, err) || err != nil {
					r.close()
					return
				}
			}
			r.close()
		}
	}
}

// Groups returns how many rows each row group of a file has.
func Groups(ctx context.Context, s *object.Store, f weir.DataFile) ([]int64, error) {
	r, err := openFile(ctx, s, f)
	if err != nil {
		return nil, err
	}
	defer r.close()
	rows := make([]int64, r.pq.NumRowGroups())
	for i := range rows {
		rows[i] = r.pq.MetaData().RowGroups[i].NumRows
	}
	return rows, nil
}

// Describe returns the data file of an object that is there: its rows from the
// footer, its size from the store.
func Describe(ctx context.Context, s *object.Store, key string) (weir.DataFile, error) {
	info, err := s.Stat(ctx, key)
	if err != nil {
		return weir.DataFile{}, err
	}
	f := weir.DataFile{Path: key, Bytes: info.Size}
	r, err := openFile(ctx, s, f)
	if err != nil {
		return weir.DataFile{}, err
	}
	defer r.close()
	f.Rows = r.pq.NumRows()
	return f, nil
}
