package lakehouse

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	iceio "github.com/apache/iceberg-go/io"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// storeProperty tells the factory below which lake's store a catalog belongs to:
// Iceberg's registry knows URI schemes only.
// (No "weir." prefix: a table's own property of that name would win.)
const storeProperty = "weir-store"

var (
	registerScheme = sync.OnceFunc(func() { iceio.Register("s3", openStoreIO) })
	stores         sync.Map // string to *object.Store
	storeCount     atomic.Int64
)

// shareStore makes s reachable for Iceberg under the returned property value.
func shareStore(s *object.Store) string {
	registerScheme()
	id := fmt.Sprint(storeCount.Add(1))
	stores.Store(id, s)
	return id
}

func unshareStore(id string) { stores.Delete(id) }

func openStoreIO(ctx context.Context, _ *url.URL, props map[string]string) (iceio.IO, error) {
	s, ok := stores.Load(props[storeProperty])
	if !ok {
		return nil, weir.Errorf(weir.Internal, "no open lake for Iceberg's file access")
	}
	return &storeIO{ctx: ctx, store: s.(*object.Store)}, nil
}

// storeIO lets Iceberg read and write its metadata through the lake's own store,
// so that there is one client, one retry policy and one set of credentials.
type storeIO struct {
	ctx   context.Context // of the one operation that opened it
	store *object.Store
}

var (
	_ iceio.WriteFileIO = (*storeIO)(nil)
	_ iceio.ReadFileIO  = (*storeIO)(nil)
)

func (s *storeIO) key(op, name string) (string, error) {
	key, ok := s.store.Key(name)
	if !ok {
		return "", &fs.PathError{Op: op, Path: name, Err: weir.Errorf(weir.Invalid,
			"the table refers to a file outside the lake").At(name).Then("move the table's files below " + s.store.URL(""))}
	}
	return key, nil
}

func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if weir.CodeOf(err) == weir.NotFound {
		err = fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// Open reads metadata and manifests whole (they are small) and Parquet by range.
func (s *storeIO) Open(name string) (iceio.File, error) {
	key, err := s.key("open", name)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(name, ".parquet") {
		info, err := s.store.Stat(s.ctx, key)
		if err != nil {
			return nil, pathError("open", name, err)
		}
		at := s.store.ReaderAt(s.ctx, key, info.Size)
		closer, _ := at.(io.Closer)
		return &openFile{io.NewSectionReader(at, 0, info.Size), closer, fileInfo{path.Base(key), info.Size, info.ModTime}}, nil
	}
	data, err := s.store.ReadFile(s.ctx, key)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return &openFile{bytes.NewReader(data), nil, fileInfo{path.Base(key), int64(len(data)), time.Time{}}}, nil
}

func (s *storeIO) ReadFile(name string) ([]byte, error) {
	key, err := s.key("read", name)
	if err != nil {
		return nil, err
	}
	data, err := s.store.ReadFile(s.ctx, key)
	return data, pathError("read", name, err)
}

func (s *storeIO) Remove(name string) error {
	key, err := s.key("remove", name)
	if err != nil {
		return err
	}
	return pathError("remove", name, s.store.Delete(s.ctx, key))
}

// Create buffers: Iceberg writes only metadata through it.
func (s *storeIO) Create(name string) (iceio.FileWriter, error) {
	if _, err := s.key("create", name); err != nil {
		return nil, err
	}
	return &fileWriter{io: s, name: name}, nil
}

func (s *storeIO) WriteFile(name string, p []byte) error {
	key, err := s.key("write", name)
	if err != nil {
		return err
	}
	return pathError("write", name, s.store.Put(s.ctx, key, bytes.NewReader(p), int64(len(p))))
}

type fileWriter struct {
	bytes.Buffer
	io   *storeIO
	name string
	done bool
}

func (w *fileWriter) Close() error {
	if w.done {
		return nil
	}
	w.done = true
	return w.io.WriteFile(w.name, w.Bytes())
}

type content interface {
	io.ReadSeeker
	io.ReaderAt
}

type openFile struct {
	content
	closer io.Closer
	info   fileInfo
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }

func (f *openFile) Close() error {
	if f.closer != nil {
		return f.closer.Close()
	}
	return nil
}

type fileInfo struct {
	name string
	size int64
	mod  time.Time
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return 0o444 }
func (i fileInfo) ModTime() time.Time { return i.mod }
func (i fileInfo) IsDir() bool        { return false }
func (i fileInfo) Sys() any           { return nil }
