package sql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
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

func (f *files) local(ctx context.Context, d weir.DataFile) (string, error) {
	if path, ok := f.store.LocalPath(d.Path); ok {
		if st, err := os.Stat(path); err == nil && st.Size() == d.Bytes && !st.IsDir() {
			return path, nil
		}
	}
	sum := sha256.Sum256([]byte(f.store.URL(d.Path)))
	name := hex.EncodeToString(sum[:16]) + ".parquet"
	mine := filepath.Join(f.own, name)
	if _, err := os.Stat(mine); err == nil {
		return mine, nil
	}
	if f.cache == "" {
		return mine, f.download(ctx, d, mine)
	}
	if err := os.MkdirAll(f.cache, 0o700); err != nil {
		return "", tempFailed(err)
	}
	cached := filepath.Join(f.cache, name)
	if st, err := os.Stat(cached); err != nil || st.Size() != d.Bytes {
		if err := f.download(ctx, d, cached); err != nil {
			return "", err
		}
	}
	now := time.Now() // the age of a cache entry, no value of any table
	os.Chtimes(cached, now, now)
	if err := f.link(cached, mine); err != nil {
		return "", err
	}
	return mine, f.evict(cached)
}

// link gives the engine its own name of a cached file; on another disk, its own
// copy.
func (f *files) link(cached, mine string) error {
	if os.Link(cached, mine) == nil {
		return nil
	}
	from, err := os.Open(cached)
	if err != nil {
		return tempFailed(err)
	}
	defer from.Close()
	return writeWhole(mine, from)
}

// download fetches an object into a file that appears whole.
func (f *files) download(ctx context.Context, d weir.DataFile, path string) error {
	r, err := f.store.Get(ctx, d.Path)
	if err != nil {
		return err
	}
	defer r.Close()
	counted := &countingReader{r: r}
	if err := writeWhole(path, counted); err != nil {
		return err
	}
	if counted.n != d.Bytes {
		os.Remove(path)
		return weir.Errorf(weir.Unavailable, "a data file has %d bytes, not the %d of its commit", counted.n, d.Bytes).
			At(f.store.URL(d.Path)).Then("check the object store with `weir doctor`")
	}
	return nil
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func writeWhole(path string, r io.Reader) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".download-")
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

// evict removes the least recently used files of the cache until it fits,
// keeping the one that was just asked for.
func (f *files) evict(keep string) error {
	entries, err := os.ReadDir(f.cache)
	if err != nil {
		return tempFailed(err)
	}
	var all []fs.FileInfo
	var total int64
	for _, e := range entries {
		if st, err := e.Info(); err == nil && filepath.Ext(e.Name()) == ".parquet" {
			all = append(all, st)
			total += st.Size()
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ModTime().Before(all[j].ModTime()) })
	for _, st := range all {
		if total <= f.limit {
			break
		}
		path := filepath.Join(f.cache, st.Name())
		if path == keep {
			continue
		}
		if err := os.Remove(path); err == nil {
			total -= st.Size()
		}
	}
	return nil
}
