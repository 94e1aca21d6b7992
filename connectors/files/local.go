package files

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"sort"
	"strings"

	"github.com/weir-cdp/weir"
)

// localFolder is a folder of this machine. os.Root keeps every access inside of
// it, symbolic links included. It is opened at each use, since the folder may
// come to exist after the source was opened.
type localFolder struct {
	base  string // absolute
	inner string // relative to base
	name  string // as in the settings
}

func openLocal(base, inner, name string) (folder, error) {
	return &localFolder{base: base, inner: inner, name: name}, nil
}

func (l *localFolder) String() string { return l.name }
func (l *localFolder) close() error   { return nil }

func (l *localFolder) root() (*os.Root, error) {
	base, err := os.OpenRoot(l.base)
	if err != nil {
		return nil, l.explain(err, "")
	}
	if l.inner == "." {
		return base, nil
	}
	defer func() { _ = base.Close() }()
	r, err := base.OpenRoot(l.inner)
	if err != nil {
		return nil, l.explain(err, "")
	}
	return r, nil
}

// explain turns an error of the file system into one that says what to do.
func (l *localFolder) explain(err error, file string) error {
	where := l.name
	if file != "" {
		where = path.Join(l.name, file)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return weir.Errorf(weir.NotFound, "does not exist").At(where).Then("create it, or correct `path`")
	case errors.Is(err, fs.ErrPermission):
		return weir.Errorf(weir.Denied, "may not be read or written").At(where).Then("give the user that runs weir access to it")
	case strings.Contains(err.Error(), "path escapes from parent"):
		return weir.Errorf(weir.Invalid, "leads out of its folder (a symbolic link?), which is refused").At(where).
			Then("put the file itself into the folder, or name its folder as the path")
	}
	return weir.Errorf(weir.Unavailable, "%w", err).At(where).Then("check the folder and the disk")
}

func (l *localFolder) check(context.Context) error {
	r, err := l.root()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	d, err := r.Open(".")
	if err != nil {
		return l.explain(err, "")
	}
	defer func() { _ = d.Close() }()
	if _, err := d.ReadDir(1); err != nil && !errors.Is(err, io.EOF) {
		return l.explain(err, "")
	}
	return nil
}

func (l *localFolder) list(ctx context.Context, dir string) ([]fileInfo, error) {
	r, err := l.root()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	var out []fileInfo
	start := path.Clean("./" + dir)
	err = fs.WalkDir(r.FS(), start, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			if p == start && errors.Is(err, fs.ErrNotExist) {
				return fs.SkipAll
			}
			return l.explain(err, p)
		}
		if d.IsDir() {
			return ctx.Err()
		}
		info, err := r.Stat(p) // follows links, inside of the folder only
		switch {
		case errors.Is(err, fs.ErrNotExist) && d.Type()&fs.ModeSymlink == 0:
			return nil // gone since the folder was listed
		case err != nil:
			// listed all the same: reading it says why it is refused
			out = append(out, fileInfo{path: p, version: "unreadable"})
		case info.Mode().IsRegular():
			out = append(out, fileInfo{path: p, size: info.Size(), version: localVersion(info)})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	sort.Slice(out, func(i, j int) bool { return out[i].path < out[j].path })
	return out, nil
}

// localVersion changes with size and time of change: contents are not read to
// find out whether they changed.
func localVersion(info fs.FileInfo) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(info.Size()))
	binary.BigEndian.PutUint64(b[8:], uint64(info.ModTime().UnixNano()))
	sum := sha256.Sum256(b[:])
	return hex.EncodeToString(sum[:8])
}

type localFile struct {
	*os.File
	size int64
}

func (f localFile) Size() int64 { return f.size }

func (l *localFolder) open(_ context.Context, name, version string) (file, error) {
	r, err := l.root()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	f, err := r.Open(name)
	if err != nil {
		return nil, l.explain(err, name)
	}
	info, err := f.Stat()
	if err == nil && version != "" && localVersion(info) != version {
		err = changedSince(where(l, name))
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return localFile{f, info.Size()}, nil
}

func changedSince(where string) error {
	return weir.Errorf(weir.Conflict, "changed after the sync was planned").At(where).
		Then("sync again, once whatever writes the file is done")
}

func (l *localFolder) put(ctx context.Context, name string, write func(io.Writer) error) (err error) {
	if err := os.MkdirAll(l.base, 0o750); err != nil {
		return l.explain(err, "")
	}
	base, err := os.OpenRoot(l.base)
	if err != nil {
		return l.explain(err, "")
	}
	defer func() { _ = base.Close() }()
	full := path.Join(l.inner, name)
	dir := path.Dir(full)
	if err := base.MkdirAll(dir, 0o750); err != nil {
		return l.explain(err, name)
	}
	temporary := path.Join(dir, "."+path.Base(full)+".partial")
	f, err := base.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err != nil {
		return l.explain(err, name)
	}
	if err := write(f); err != nil {
		_ = f.Close()
		_ = base.Remove(temporary)
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		_ = base.Remove(temporary)
		return l.explain(err, name)
	}
	if err := ctx.Err(); err != nil {
		_ = base.Remove(temporary)
		return err
	}
	if err := base.Rename(temporary, full); err != nil {
		return l.explain(err, name)
	}
	return l.syncDir(base, dir)
}

// syncDir makes a rename last through a power loss.
func (l *localFolder) syncDir(base *os.Root, dir string) error {
	d, err := base.Open(dir)
	if err != nil {
		return l.explain(err, dir)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return l.explain(err, dir)
	}
	return nil
}

func (l *localFolder) remove(_ context.Context, name string) error {
	base, err := os.OpenRoot(l.base)
	if err != nil {
		return l.explain(err, "")
	}
	defer func() { _ = base.Close() }()
	if err := base.Remove(path.Join(l.inner, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return l.explain(err, name)
	}
	return nil
}
