package scratch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/weir-cdp/weir"
)

// Folder keeps objects of blocks as plain files below it, for processes that
// write and read them on one machine. Its keys are those of an object store. It is
// safe for concurrent use, as far as no object is written twice at a time.
type Folder string

// PutChecked writes an object, replacing one that is there. Its blocks carry their
// checksums, so that one which a dying process cut short is noticed by who reads it.
func (d Folder) PutChecked(ctx context.Context, key string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path, err := d.path(key)
	if err != nil {
		return err
	}
	err = os.WriteFile(path, data, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			err = os.WriteFile(path, data, 0o600)
		}
	}
	return failed("write", key, err)
}

// ReadRange reads length bytes of an object from an offset; an object that ends
// before is an error.
func (d Folder) ReadRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path, err := d.path(key)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, failed("read", key, err)
	}
	defer f.Close()
	b := make([]byte, length)
	if _, err := f.ReadAt(b, offset); err != nil {
		return nil, failed("read", key, err)
	}
	return b, nil
}

func (d Folder) path(key string) (string, error) {
	local := filepath.FromSlash(key)
	if !filepath.IsLocal(local) {
		return "", weir.Errorf(weir.Internal, "this key leaves the folder for scratch").At(key)
	}
	return filepath.Join(string(d), local), nil
}

func failed(what, key string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC):
		return weir.Errorf(weir.Unavailable, "can't %s scratch rows: %w", what, err).At(key).Then("free space on the disk, then try again")
	case errors.Is(err, fs.ErrNotExist):
		return weir.Errorf(weir.NotFound, "can't %s scratch rows: %w", what, err).At(key)
	}
	return weir.Errorf(weir.Unavailable, "can't %s scratch rows: %w", what, err).At(key).Then("check the disk, then try again")
}
