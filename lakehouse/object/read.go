package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/weir-cdp/weir"
)

// Get opens an object for reading from its start. A missing one is
// weir.NotFound here, not at the first read. The caller closes it.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	return s.get(ctx, key, 0, -1)
}

// get reads length bytes from offset; -1 reads to the end.
func (s *Store) get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if path, ok := s.LocalPath(key); ok {
		f, err := openFile(path)
		if err == nil && offset > 0 {
			_, err = f.Seek(offset, io.SeekStart)
		}
		if err != nil {
			return nil, s.failed("read object", key, err)
		}
		if length < 0 {
			return f, nil
		}
		return struct {
			io.Reader
			io.Closer
		}{io.LimitReader(f, length), f}, nil
	}
	opts := minio.GetObjectOptions{}
	if offset > 0 || length >= 0 {
		if err := opts.SetRange(offset, offset+length-1); length > 0 && err != nil {
			return nil, s.failed("read object", key, err)
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	body, _, _, err := s.core.GetObject(ctx, s.bucket, s.prefix+key, opts)
	if err != nil {
		cancel(nil)
		return nil, s.failed("read object", key, err)
	}
	return &failingBody{body, s, key, ctx, cancel}, nil
}

// failingBody gives errors in the middle of a body their code, and ends one that no more
// comes of: a service that keeps the connection and says nothing would hold its reader
// for ever.
type failingBody struct {
	io.ReadCloser
	s      *Store
	key    string
	ctx    context.Context // of the request
	cancel context.CancelCauseFunc
}

var errStalled = weir.Errorf(weir.Unavailable, "the object store has stopped sending").Then("check that it runs, and the network in between, then try again")

func (b *failingBody) Read(p []byte) (int, error) {
	stalled := time.AfterFunc(b.s.stall, func() { b.cancel(errStalled) })
	n, err := b.ReadCloser.Read(p)
	stalled.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		if errors.Is(context.Cause(b.ctx), errStalled) {
			err = errStalled
		}
		err = b.s.failed("read object", b.key, err)
	}
	return n, err
}

func (b *failingBody) Close() error {
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}

// openFile opens a plain file; a folder is no object.
func openFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if st, err := f.Stat(); err != nil || st.IsDir() {
		f.Close()
		if err == nil {
			err = fmt.Errorf("%w: a folder", os.ErrNotExist)
		}
		return nil, err
	}
	return f, nil
}

// ReadFile reads an object whole into memory.
func (s *Store) ReadFile(ctx context.Context, key string) ([]byte, error) {
	r, err := s.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// ReadRange reads length bytes of an object from an offset; an object that ends
// before is an error.
func (s *Store) ReadRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	r, err := s.get(ctx, key, offset, length)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, length)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, s.failed("read object", key, err)
	}
	return b, nil
}

// Stat describes an object; a missing one is weir.NotFound.
func (s *Store) Stat(ctx context.Context, key string) (Info, error) {
	if err := checkKey(key); err != nil {
		return Info{}, err
	}
	o, err := s.client.StatObject(ctx, s.bucket, s.prefix+key, minio.StatObjectOptions{})
	if err != nil {
		return Info{}, s.failed("look at object", key, err)
	}
	return Info{Key: key, Size: o.Size, ETag: o.ETag, ModTime: o.LastModified.UTC()}, nil
}

// List yields the objects whose key starts with prefix ("" is all), in the
// byte order of their keys. It stops after the first error.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		opts := minio.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true}
		for o := range s.client.ListObjectsIter(ctx, s.bucket, opts) {
			if o.Err != nil {
				yield(Info{}, s.failed("list objects", prefix, o.Err))
				return
			}
			if strings.HasSuffix(o.Key, "/") { // a folder marker, not an object of ours
				continue
			}
			info := Info{Key: strings.TrimPrefix(o.Key, s.prefix), Size: o.Size, ETag: o.ETag, ModTime: o.LastModified.UTC()}
			if !yield(info, nil) {
				return
			}
		}
	}
}
