package sql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// files gives data files local paths. Where the store's objects are no plain
// files, they are downloaded into a cache, under a name made from their address
// and size (a data file never changes), and hard-linked into the engine's own
// folder, so that another process may evict them while they are in use.
type files struct {
	store *object.Store
	cache string // "": no cache
	limit int64
	own   string
}

// fetchers is how many files are downloaded at once.
const fetchers = 8

// remote tells whether the store's objects have to be downloaded.
func (f *files) remote() bool {
	_, local := f.store.LocalPath("x")
	return !local
}

// name is where a data file will be in the engine's folder.
func (f *files) name(d weir.DataFile) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d", f.store.Endpoint(), f.store.URL(d.Path), d.Bytes))
	return filepath.Join(f.own, hex.EncodeToString(sum[:16])+".parquet")
}

// all gives the files' paths, downloading several at once. The cache is held to its
// limit also where that fails: a disk that a query has filled is not left full.
func (f *files) all(ctx context.Context, data []weir.DataFile) ([]string, error) {
	paths, err := f.fetch(ctx, data)
	if f.cache == "" || !f.remote() {
		return paths, err
	}
	if full := f.evict(paths); err == nil {
		err = full
	}
	return paths, err
}

func (f *files) fetch(ctx context.Context, data []weir.DataFile) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	paths := make([]string, len(data))
	next := make(chan int)
	errs := make(chan error, fetchers)
	var work sync.WaitGroup
	for range min(fetchers, len(data)) {
		work.Go(func() {
			for i := range next {
				var err error
				if paths[i], err = f.local(ctx, data[i]); err != nil {
					errs <- err
					cancel()
					return
				}
			}
		})
	}
	for i := range data {
		select {
		case next <- i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	work.Wait()
	select {
	case err := <-errs: // the first one; others are of its cancelling
		return nil, err
	default:
	}
	return paths, ctx.Err()
}

func (f *files) local(ctx context.Context, d weir.DataFile) (string, error) {
	if path, ok := f.store.LocalPath(d.Path); ok {
		if st, err := os.Stat(path); err == nil && st.Size() == d.Bytes && !st.IsDir() {
			return path, nil
		}
	}
	mine := f.name(d)
	if _, err := os.Stat(mine); err == nil {
		return mine, nil
	}
	if f.cache == "" {
		return mine, f.download(ctx, d, mine)
	}
	if err := os.MkdirAll(f.cache, 0o700); err != nil {
		return "", tempFailed(err)
	}
	cached := filepath.Join(f.cache, filepath.Base(mine))
	for range 3 {
		if st, err := os.Stat(cached); err != nil || st.Size() != d.Bytes {
			if err := f.download(ctx, d, cached); err != nil {
				return "", err
			}
		}
		now := time.Now() // the age of a cache entry, no value of any table
		_ = os.Chtimes(cached, now, now)
		err := f.link(cached, mine)
		if err == nil {
			return mine, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		// Another process evicted it in between.
	}
	return mine, f.download(ctx, d, mine)
}

// link gives the engine its own name of a cached file; on another disk, its own
// copy.
func (f *files) link(cached, mine string) error {
	if os.Link(cached, mine) == nil {
		return nil
	}
	from, err := os.Open(cached)
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil {
		return tempFailed(err)
	}
	defer from.Close()
	return writeWhole(mine, from)
}

// download fetches an object into a file that appears whole, and of the commit's size:
// what answers with more is not read to its end.
func (f *files) download(ctx context.Context, d weir.DataFile, path string) error {
	r, err := f.store.Get(ctx, d.Path)
	if err != nil {
		return err
	}
	defer r.Close()
	sized := &sizedReader{r: io.LimitReader(r, d.Bytes+1), want: d.Bytes, of: f.store.URL(d.Path)}
	return writeWhole(path, sized)
}

const (
	downloadPrefix = ".download-"
	abandoned      = time.Hour // since a download's last byte
)

// sizedReader fails at its end where it had other than the bytes of the commit.
type sizedReader struct {
	r       io.Reader
	n, want int64
	of      string // for the message
}

func (s *sizedReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if s.n > s.want || errors.Is(err, io.EOF) && s.n != s.want {
		had := "fewer"
		if s.n > s.want {
			had = "more"
		}
		return n, weir.Errorf(weir.Unavailable, "a data file has %s than the %d bytes of its commit", had, s.want).
			At(s.of).Then("check the object store with `weir doctor`")
	}
	return n, err
}

func writeWhole(path string, r io.Reader) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), downloadPrefix)
	if err != nil {
		return tempFailed(err)
	}
	_, err = io.Copy(tmp, r)
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
		if weir.CodeOf(err) != weir.Internal {
			return err
		}
		return tempFailed(err)
	}
	return nil
}

// evict removes the least recently used files of the cache until it fits. Files in
// use stay readable by their own names. What a download that was killed left goes
// when it is old.
func (f *files) evict(justUsed []string) error {
	entries, err := os.ReadDir(f.cache)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return tempFailed(err)
	}
	keep := map[string]bool{}
	for _, path := range justUsed {
		keep[filepath.Base(path)] = true
	}
	var all []fs.FileInfo
	var total int64
	for _, e := range entries {
		st, err := e.Info()
		switch {
		case err != nil: // gone meanwhile
		case filepath.Ext(e.Name()) == ".parquet":
			all = append(all, st)
			total += st.Size()
		case strings.HasPrefix(e.Name(), downloadPrefix) && time.Since(st.ModTime()) > abandoned:
			_ = os.Remove(filepath.Join(f.cache, e.Name()))
		}
	}
	// What was just used goes last: then the limit holds, and the next query pays.
	sort.SliceStable(all, func(i, j int) bool {
		if a, b := keep[all[i].Name()], keep[all[j].Name()]; a != b {
			return b
		}
		return all[i].ModTime().Before(all[j].ModTime())
	})
	for _, st := range all {
		if total <= f.limit {
			break
		}
		if err := os.Remove(filepath.Join(f.cache, st.Name())); err == nil || errors.Is(err, fs.ErrNotExist) {
			total -= st.Size()
		}
	}
	return nil
}
