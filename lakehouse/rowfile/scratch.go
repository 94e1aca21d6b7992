package rowfile

import (
	"context"
	"errors"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// scratchCodec trades size for time: scratch lives for one run.
var scratchCodec = &zstd.Codec{Level: zstd.SpeedFastest}

// ScratchWriter writes one scratch file: rows of any struct with parquet tags,
// in row groups that are read one by one. It is used by one goroutine.
type ScratchWriter[T any] struct {
	ctx   context.Context // of the writer's owner
	store *object.Store
	key   string
	sink  *sink
	pq    *parquet.GenericWriter[T]
	done  bool
}

// NewScratchWriter begins a scratch file; rowsPerGroup is how many rows a group
// is expected to have, 0 if unknown.
func NewScratchWriter[T any](ctx context.Context, s *object.Store, key string, rowsPerGroup int) (w *ScratchWriter[T], err error) {
	defer func() { // the library panics on a struct that it can't lay out
		if p := recover(); p != nil {
			w, err = nil, weir.Errorf(weir.Internal, "scratch rows can't be laid out: %v", p).At(key)
		}
	}()
	sink := newSink(newOptions(nil).spill, false)
	pq := parquet.NewGenericWriter[T](sink, parquet.Compression(scratchCodec),
		parquet.DataPageStatistics(false))
	return &ScratchWriter[T]{ctx: ctx, store: s, key: key, sink: sink, pq: pq}, nil
}

// WriteGroup writes rows as one row group; an empty one is a group too.
func (w *ScratchWriter[T]) WriteGroup(rows []T) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if _, err := w.pq.Write(rows); err != nil {
		return w.failed(err)
	}
	return w.failed(w.pq.Flush())
}

// Close publishes the file under its key.
func (w *ScratchWriter[T]) Close() error {
	if w.done {
		return nil
	}
	w.done = true
	defer w.sink.discard()
	if err := w.pq.Close(); err != nil {
		return w.failed(err)
	}
	return w.sink.publish(w.ctx, w.store, w.key)
}

// Abort drops the file.
func (w *ScratchWriter[T]) Abort() {
	w.done = true
	w.sink.discard()
}

func (w *ScratchWriter[T]) failed(err error) error {
	if err == nil || weir.CodeOf(err) != weir.Internal {
		return err
	}
	return weir.Errorf(weir.Internal, "can't write scratch rows: %w", err).At(w.key)
}

// Scratch is an open scratch file, for reading several of its groups.
type Scratch[T any] struct {
	key  string
	at   io.ReaderAt
	file *parquet.File
}

// OpenScratch opens a scratch file; the caller closes it.
func OpenScratch[T any](ctx context.Context, s *object.Store, key string) (*Scratch[T], error) {
	info, err := s.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	at := s.ReaderAt(ctx, key, info.Size)
	f, err := parquet.OpenFile(at, info.Size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	r := &Scratch[T]{key: key, at: at, file: f}
	if err != nil {
		r.Close()
		return nil, r.failed(err)
	}
	return r, nil
}

// Groups returns the number of row groups.
func (r *Scratch[T]) Groups() int { return len(r.file.RowGroups()) }

// ReadGroup reads one row group into memory.
func (r *Scratch[T]) ReadGroup(group int) ([]T, error) {
	groups := r.file.RowGroups()
	if group < 0 || group >= len(groups) {
		return nil, weir.Errorf(weir.Internal, "no row group %d of %d", group, len(groups)).At(r.key)
	}
	rows := make([]T, groups[group].NumRows())
	if len(rows) == 0 {
		return rows, nil
	}
	pr := parquet.NewGenericRowGroupReader[T](groups[group])
	defer pr.Close()
	for n := 0; n < len(rows); {
		m, err := pr.Read(rows[n:])
		n += m
		if errors.Is(err, io.EOF) && n == len(rows) {
			break
		}
		if err == nil && m == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, r.failed(err)
		}
	}
	return rows, nil
}

// Close releases the file.
func (r *Scratch[T]) Close() error {
	if c, ok := r.at.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

func (r *Scratch[T]) failed(err error) error {
	if weir.CodeOf(err) != weir.Internal {
		return err
	}
	return weir.Errorf(weir.Internal, "can't read scratch rows: %w", err).At(r.key)
}

// ReadGroup reads one row group of a scratch file.
func ReadGroup[T any](ctx context.Context, s *object.Store, key string, group int) ([]T, error) {
	r, err := OpenScratch[T](ctx, s, key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.ReadGroup(group)
}
