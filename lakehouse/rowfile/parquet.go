package rowfile

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// fileWriter turns record batches into content-addressed data files. Batches
// must be cut at the same rows every time: pages and row groups end with them.
type fileWriter struct {
	ctx    context.Context // of the writer that owns it
	store  *object.Store
	dir    string
	schema *arrow.Schema
	table  schema.Table
	opts   options

	sink  *sink
	pq    parquetFile
	group int  // rows of the open row group
	full  bool // the next batch begins another row group
	rows  int64

	sending chan sent // of the file before, if it is not published yet
	done    []weir.DataFile
}

// sent is a file that was published, or why it was not.
type sent struct {
	file weir.DataFile
	err  error
}

func newFileWriter(ctx context.Context, s *object.Store, t schema.Table, scope string, opts []Option) (*fileWriter, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	as, err := t.Arrow()
	if err != nil {
		return nil, err
	}
	return &fileWriter{ctx: ctx, store: s, dir: DataDir(t.Name) + "/" + ScopeDir(scope), schema: as,
		table: t, opts: newOptions(opts)}, nil
}

func (w *fileWriter) write(rec arrow.RecordBatch) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if w.pq == nil {
		w.sink = newSink(w.opts.spill)
		pq, err := openParquet(w.schema, w.sink, writerProperties(w.table, w.opts, rec))
		if err != nil {
			return w.failed(err)
		}
		w.pq = pq
	}
	if w.full {
		if err := w.pq.next(); err != nil {
			return w.failed(err)
		}
		w.full = false
	}
	if err := w.pq.write(rec); err != nil {
		return w.failed(err)
	}
	w.rows += rec.NumRows()
	w.group += int(rec.NumRows())
	written, compressed := w.pq.group()
	if w.group+w.opts.chunk() <= w.opts.groupRows && written < groupBytes {
		return nil
	}
	w.group, w.full = 0, true
	if w.sink.size+compressed >= w.opts.fileBytes {
		return w.finish()
	}
	return nil
}

// finish closes the open file and publishes it while the next one is written: a file
// takes as long to send as some hundred thousand rows to write.
func (w *fileWriter) finish() error {
	if w.pq == nil {
		return nil
	}
	err := w.pq.close()
	if err == nil {
		err = settle(w.sink)
	}
	if err != nil {
		w.discard()
		return w.failed(err)
	}
	sink, rows := w.sink, w.rows
	w.sink = nil
	w.discard()
	if err := w.sent(); err != nil { // one at a time
		sink.discard()
		return err
	}
	done := make(chan sent, 1)
	w.sending = done
	go func() {
		var key string
		err := guarded(func() (err error) {
			key, err = sink.publishByContent(w.ctx, w.store, w.dir)
			return err
		})
		sink.discard()
		done <- sent{weir.DataFile{Path: key, Rows: rows, Bytes: sink.size}, err}
	}()
	return nil
}

// sent waits until the file before is published.
func (w *fileWriter) sent() error {
	if w.sending == nil {
		return nil
	}
	s := <-w.sending
	w.sending = nil
	if s.err == nil {
		w.done = append(w.done, s.file)
	}
	return s.err
}

// all finishes the open file and gives all, published.
func (w *fileWriter) all() ([]weir.DataFile, error) {
	if err := w.finish(); err != nil {
		return nil, err
	}
	if err := w.sent(); err != nil {
		return nil, err
	}
	return w.done, nil
}

// abort drops the open file; what is being sent is not left behind.
func (w *fileWriter) abort() {
	w.discard()
	_ = w.sent() // a file more or less, which is part of no table
}

// discard drops the open file.
func (w *fileWriter) discard() {
	if w.sink != nil {
		w.sink.discard()
	}
	w.sink, w.pq, w.rows, w.group, w.full = nil, nil, 0, 0, false
}

func (w *fileWriter) failed(err error) error {
	if err == nil || weir.CodeOf(err) != weir.Internal {
		return err
	}
	return weir.Errorf(weir.Internal, "can't write Parquet: %w", err).At(w.dir)
}
