package object

import (
	"context"
	"io"
	"os"
	"sync"

	"github.com/weir-cdp/weir"
)

const (
	blockSize = 1 << 20 // unit of read-ahead
	keep      = 8       // blocks kept, the least recently used goes first
)

// ReaderAt reads ranges of an object of the given size. Small reads (a Parquet
// footer, page headers) are served from aligned blocks of 1 MiB, of which a few
// are kept; a read of a block or more is one request of its own. It is safe for
// concurrent use. It holds no connection; where objects are plain files it holds
// an open file, which Close (it is an io.Closer) or the garbage collector closes.
func (s *Store) ReaderAt(ctx context.Context, key string, size int64) io.ReaderAt {
	return &readerAt{s: s, ctx: ctx, key: key, size: size}
}

type readerAt struct {
	s    *Store
	ctx  context.Context // of the scan that owns this reader
	key  string
	size int64

	mu     sync.Mutex
	file   *os.File
	blocks []block // most recently used last
}

type block struct {
	start int64
	data  []byte
}

// ReadAt implements io.ReaderAt.
func (r *readerAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, weir.Errorf(weir.Internal, "negative offset %d", off).At(r.key)
	}
	if f, err := r.local(); err != nil {
		return 0, err
	} else if f != nil {
		return f.ReadAt(p, off)
	}
	want := min(int64(len(p)), r.size-off)
	if want <= 0 {
		return 0, io.EOF
	}
	if err := r.fill(p[:want], off); err != nil {
		return 0, err
	}
	if want < int64(len(p)) {
		return int(want), io.EOF
	}
	return int(want), nil
}

func (r *readerAt) fill(p []byte, off int64) error {
	if len(p) >= blockSize {
		return r.fetch(p, off)
	}
	for len(p) > 0 {
		start := off - off%blockSize
		data, err := r.block(start)
		if err != nil {
			return err
		}
		n := copy(p, data[off-start:])
		p, off = p[n:], off+int64(n)
	}
	return nil
}

func (r *readerAt) block(start int64) ([]byte, error) {
	r.mu.Lock()
	for i, b := range r.blocks {
		if b.start == start {
			r.blocks = append(append(r.blocks[:i:i], r.blocks[i+1:]...), b)
			r.mu.Unlock()
			return b.data, nil
		}
	}
	r.mu.Unlock()
	data := make([]byte, min(blockSize, r.size-start))
	if err := r.fetch(data, start); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.blocks) >= keep {
		r.blocks = append([]block(nil), r.blocks[1:]...)
	}
	r.blocks = append(r.blocks, block{start, data})
	return data, nil
}

// fetch fills p from the store. A body cut short is asked for again: the client
// library retries requests, not bodies.
func (r *readerAt) fetch(p []byte, off int64) error {
	var last error
	for range 3 {
		body, err := r.s.get(r.ctx, r.key, off, int64(len(p)))
		if err != nil {
			return err
		}
		n, err := io.ReadFull(body, p)
		body.Close()
		if err == nil {
			return nil
		}
		p, off, last = p[n:], off+int64(n), err
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
	}
	return weir.Errorf(weir.Unavailable, "object ends early or its connection broke: %w", last).
		At(r.s.URL(r.key)).Then("check the object store, then try again")
}

func (r *readerAt) local() (*os.File, error) {
	path, ok := r.s.LocalPath(r.key)
	if !ok {
		return nil, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		f, err := openFile(path)
		if err != nil {
			return nil, r.s.failed("read object", r.key, err)
		}
		r.file = f
	}
	return r.file, nil
}

// Close releases the open file, if any; the reader must not be used after.
func (r *readerAt) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file = nil
	return f.Close()
}
