package files

import (
	"context"
	"io"
	"path/filepath"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// folder is where files are. Paths are relative to it, with slashes.
type folder interface {
	check(ctx context.Context) error
	// list gives the files below dir ("" or "a/b"), sorted by path.
	list(ctx context.Context, dir string) ([]fileInfo, error)
	// open opens a file in the version that was listed; "" for any.
	open(ctx context.Context, path, version string) (file, error)
	// put writes a file: it is there whole or not at all.
	put(ctx context.Context, path string, write func(io.Writer) error) error
	remove(ctx context.Context, path string) error
	// String names the folder in messages.
	String() string
	close() error
}

// fileInfo is a listed file.
type fileInfo struct {
	path    string
	size    int64
	version string // changes when the content does
}

// file is an open file.
type file interface {
	io.Reader
	io.ReaderAt
	io.Closer
	Size() int64
}

// openFolder opens what `path` names. A folder that must be inside of the
// project (a destination's) refuses an absolute path.
func openFolder(env connectors.Env, c connectors.Settings, insideProject bool) (folder, error) {
	path := c.String("path")
	if rest, ok := strings.CutPrefix(path, "s3://"); ok {
		return openBucket(rest, c)
	}
	if c.String("endpoint") != "" {
		return nil, weir.Errorf(weir.Invalid, "endpoint is set, but path %q is no bucket", path).
			Then("write path: s3://bucket/prefix, or remove endpoint")
	}
	if filepath.IsAbs(path) && !insideProject {
		return openLocal(path, ".", path)
	}
	if !filepath.IsLocal(path) {
		e := weir.Errorf(weir.Invalid, "the folder %q is outside of the project", path)
		if insideProject {
			return nil, e.Then("name a folder inside of the project, or a bucket as s3://bucket/prefix")
		}
		return nil, e.Then("name a folder inside of the project, or write the absolute path")
	}
	return openLocal(env.Dir, path, path)
}

// where names a file in messages.
func where(f folder, name string) string {
	return strings.TrimSuffix(f.String(), "/") + "/" + name
}
