package rowfile

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"

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
	times []timePath
	sizes []string // rows of each group written, in decimal
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
	sink := newSink(newOptions(nil).spill)
	pq := parquet.NewGenericWriter[T](sink, parquet.Compression(scratchCodec),
		parquet.DataPageStatistics(false))
	return &ScratchWriter[T]{ctx: ctx, store: s, key: key, sink: sink, pq: pq, times: timesOf(reflect.TypeFor[T]())}, nil
}

// WriteGroup writes rows as one row group; an empty one is a group too.
func (w *ScratchWriter[T]) WriteGroup(rows []T) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	w.sizes = append(w.sizes, strconv.Itoa(len(rows)))
	if len(rows) == 0 {
		return nil // the library writes no empty group; groupsKey remembers it
	}
	if err := checkTimes(rows, w.times); err != nil {
		return weir.Errorf(weir.CodeOf(err), "%w", err).At(w.key)
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
	w.pq.SetKeyValueMetadata(groupsKey, strings.Join(w.sizes, ","))
	if err := w.pq.Close(); err != nil {
		return w.failed(err)
	}
	return w.sink.publish(w.ctx, w.store, w.key)
}

func (w *ScratchWriter[T]) failed(err error) error {
	if err == nil || weir.CodeOf(err) != weir.Internal {
		return err
	}
	return weir.Errorf(weir.Internal, "can't write scratch rows: %w", err).At(w.key)
}

// groupsKey is the file's metadata that says how many rows each group has.
const groupsKey = "weir.groups"

// Scratch is an open scratch file, for reading several of its groups.
type Scratch[T any] struct {
	key  string
	at   io.ReaderAt
	file *parquet.File
	// place of each group among the file's row groups, -1 of an empty one
	groups []int
	times  []timePath
}

// OpenScratch opens a scratch file; the caller closes it.
func OpenScratch[T any](ctx context.Context, s *object.Store, key string) (*Scratch[T], error) {
	info, err := s.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	at := s.ReaderAt(ctx, key, info.Size)
	f, err := parquet.OpenFile(at, info.Size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	r := &Scratch[T]{key: key, at: at, file: f, times: timesOf(reflect.TypeFor[T]())}
	if err != nil {
		r.Close()
		return nil, r.failed(err)
	}
	sizes, _ := f.Lookup(groupsKey)
	full := 0
	for size := range strings.SplitSeq(sizes, ",") {
		switch size {
		case "": // no group at all
		case "0":
			r.groups = append(r.groups, -1)
		default:
			r.groups = append(r.groups, full)
			full++
		}
	}
	return r, nil
}

// ReadGroup reads one row group into memory.
func (r *Scratch[T]) ReadGroup(group int) ([]T, error) {
	if group < 0 || group >= len(r.groups) {
		return nil, weir.Errorf(weir.Internal, "no row group %d of %d", group, len(r.groups)).At(r.key)
	}
	if r.groups[group] < 0 {
		return nil, nil
	}
	rg := r.file.RowGroups()[r.groups[group]]
	rows := make([]T, rg.NumRows())
	pr := parquet.NewGenericRowGroupReader[T](rg)
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
	restoreTimes(rows, r.times)
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
