package rowfile

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// parquetFile is an open Parquet file that takes chunks of rows.
type parquetFile interface {
	// write appends a chunk to the open row group, or to the first one.
	write(rec arrow.RecordBatch) error
	// next ends the row group and begins another.
	next() error
	// group is the size of the open row group: encoded, and what the file grows by.
	group() (written, compressed int64)
	close() error
}

func openParquet(s *arrow.Schema, to io.Writer, props *parquet.WriterProperties) (parquetFile, error) {
	if slices.ContainsFunc(s.Fields(), func(f arrow.Field) bool { return arrow.IsNested(f.Type.ID()) }) {
		pq, err := pqarrow.NewFileWriter(s, to, props, arrowProperties())
		return &nestedFile{pq}, err
	}
	return openFlat(s, to, props)
}

func arrowProperties() pqarrow.ArrowWriterProperties {
	return pqarrow.NewArrowWriterProperties(pqarrow.WithAllocator(memory.DefaultAllocator))
}

// nestedFile is written column after column by pqarrow, which alone can cut maps
// and lists into Parquet's columns.
type nestedFile struct{ *pqarrow.FileWriter }

func (f *nestedFile) write(rec arrow.RecordBatch) error { return f.WriteBuffered(rec) }
func (f *nestedFile) next() error                       { return f.NewBufferedRowGroupChecked() }
func (f *nestedFile) close() error                      { return f.Close() }
func (f *nestedFile) group() (written, compressed int64) {
	return f.RowGroupTotalBytesWritten(), f.RowGroupTotalCompressedBytes()
}

// flatFile writes the columns of a chunk at the same time. Its bytes are those
// that pqarrow writes: a column's pages depend on its own values alone, and a row
// group's columns are put one after another when it ends.
type flatFile struct {
	w      *file.Writer
	rg     file.BufferedRowGroupWriter
	levels [][]int16 // by column: 1 for a value, 0 for a null
	words  []words   // by column
	batch  int       // rows that are written between two looks at a page's size
}

func openFlat(s *arrow.Schema, to io.Writer, props *parquet.WriterProperties) (*flatFile, error) {
	pq, err := pqarrow.ToParquet(s, props, arrowProperties())
	if err != nil {
		return nil, err
	}
	w, err := file.NewParquetWriterWithError(to, pq.Root(), file.WithWriterProps(props), file.WithWriteMetadata(metadata.KeyValueMetadata{}))
	return &flatFile{w: w, levels: make([][]int16, s.NumFields()), words: make([]words, s.NumFields()), batch: int(props.WriteBatchSize())}, err
}

func (f *flatFile) write(rec arrow.RecordBatch) (err error) {
	if f.rg == nil {
		if f.rg, err = f.w.AppendBufferedRowGroupChecked(); err != nil {
			return err
		}
	}
	return together(int(rec.NumCols()), func(i int) error {
		c, err := f.rg.Column(i)
		if err != nil {
			return err
		}
		nullable := c.Descr().MaxDefinitionLevel() > 0
		var levels []int16
		if nullable {
			levels = f.present(i, rec.Column(i))
		}
		plain := func(a arrow.Array, levels []int16) error {
			props := arrowProperties()
			return pqarrow.WriteArrowToColumn(pqarrow.NewArrowWriteContext(context.Background(), &props), c, a, levels, nil, nullable)
		}
		if w := &f.words[i]; w.worth(c, rec.Column(i)) {
			return w.write(c, rec.Column(i).(*array.String), levels, f.batch, plain)
		}
		return plain(rec.Column(i), levels)
	})
}

// present gives the definition levels of a column that may have nulls.
func (f *flatFile) present(i int, a arrow.Array) []int16 {
	n := a.Len()
	for len(f.levels[i]) < n {
		f.levels[i] = append(f.levels[i], 1)
	}
	if a.NullN() == 0 {
		return f.levels[i][:n]
	}
	levels := make([]int16, n)
	for r := range levels {
		if a.IsValid(r) {
			levels[r] = 1
		}
	}
	return levels
}

// endGroup ends the open row group. Pages that are still open are compressed at
// the same time, but those of a column with a dictionary, which precedes them.
func (f *flatFile) endGroup() error {
	if f.rg == nil {
		return nil
	}
	err := together(f.rg.NumColumns(), func(i int) error {
		c, err := f.rg.Column(i)
		if err != nil {
			return err
		}
		flusher, ok := c.(interface{ FlushBufferedDataPages() error })
		if enc := c.CurrentEncoder().Encoding(); !ok || enc == parquet.Encodings.PlainDict || enc == parquet.Encodings.RLEDict {
			return nil
		}
		return flusher.FlushBufferedDataPages()
	})
	if err != nil {
		return err
	}
	return f.rg.Close()
}

func (f *flatFile) next() (err error) {
	if err := f.endGroup(); err != nil {
		return err
	}
	for i := range f.words {
		f.words[i].begin()
	}
	f.rg, err = f.w.AppendBufferedRowGroupChecked()
	return err
}

func (f *flatFile) group() (written, compressed int64) {
	if f.rg == nil {
		return 0, 0
	}
	return f.rg.TotalBytesWritten(), f.rg.TotalCompressedBytes()
}

func (f *flatFile) close() error {
	if err := f.endGroup(); err != nil {
		return err
	}
	return f.w.Close()
}

// together calls do for 0 to n-1 on as many goroutines as there are processors
// and gives the error of the smallest number that has one. A panic is an error:
// on a goroutine of its own it would end the process.
func together(n int, do func(i int) error) error {
	errs := make([]error, n)
	var taken atomic.Int64
	work := func() {
		for i := int(taken.Add(1)) - 1; i < n; i = int(taken.Add(1)) - 1 {
			errs[i] = guarded(func() error { return do(i) })
		}
	}
	var others sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// guarded makes an error of a panic.
func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return do()
}
