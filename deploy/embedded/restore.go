package embedded

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/pkg/xattr"

	"github.com/weir-cdp/weir"
)

// stateOf lists what lies in a folder beside what a backup leaves out.
func stateOf(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, unusable(dir, err)
	}
	var out []string
	for _, e := range entries {
		if e.Name() != lockFile {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// damaged is a backup that must not be used.
func damaged(format string, args ...any) error {
	return weir.Errorf(weir.Invalid, "the backup is damaged: "+format, args...).Then("take another backup file; nothing was changed")
}

// maxIndex bounds a backup's index in bytes.
const maxIndex = 1 << 30

// unpack writes a backup's files below a folder, and checks that they are all
// there as they were.
func unpack(ctx context.Context, into string, r io.Reader) (Backed, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderMaxMemory(1<<30))
	if err != nil {
		return Backed{}, damaged("%w", err)
	}
	defer z.Close()
	root, err := os.OpenRoot(into)
	if err != nil {
		return Backed{}, unusable(into, err)
	}
	defer root.Close()
	sums := map[string]string{}
	t := tar.NewReader(z)
	for {
		if err := ctx.Err(); err != nil {
			return Backed{}, err
		}
		h, err := t.Next()
		if err != nil {
			return Backed{}, damaged("it ends early: %w", err) // the index is last
		}
		if h.Name == backupIndex {
			return sealed(t, sums)
		}
		if err := entry(root, t, h, sums); err != nil {
			return Backed{}, err
		}
	}
}

// entry writes one file or folder; a path can't leave the root.
func entry(root *os.Root, t io.Reader, h *tar.Header, sums map[string]string) error {
	name := strings.TrimSuffix(h.Name, "/")
	if !filepath.IsLocal(name) || name == "." || slices.Contains(notKept, name) {
		return damaged("%q is no path of a backup", h.Name)
	}
	mode := fs.FileMode(h.Mode).Perm()
	switch h.Typeflag {
	case tar.TypeDir:
		if err := root.MkdirAll(name, 0o700); err != nil {
			return unusable(name, err)
		}
		return attributes(root, name, h, mode|0o700)
	case tar.TypeReg:
	default:
		return damaged("%q is neither a file nor a folder", h.Name)
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return unusable(name, err)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), t)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, zstd.ErrCRCMismatch) {
			return damaged("%s: %w", name, err)
		}
		return unusable(name, err)
	}
	if n != h.Size {
		return damaged("%s has %d bytes, not %d", name, n, h.Size)
	}
	sums[name] = hex.EncodeToString(sum.Sum(nil))
	return attributes(root, name, h, mode)
}

// attributes gives a file the mode and extended attributes that it had.
func attributes(root *os.Root, name string, h *tar.Header, mode fs.FileMode) error {
	for _, key := range slices.Sorted(maps.Keys(h.PAXRecords)) {
		attribute, ok := strings.CutPrefix(key, xattrPrefix)
		if !ok || !strings.HasPrefix(attribute, "user.") {
			continue
		}
		if err := xattr.LSet(filepath.Join(root.Name(), name), attribute, []byte(h.PAXRecords[key])); err != nil {
			return weir.Errorf(weir.Invalid, "%s has attributes that this file system can't keep: %w", name, err).
				At(root.Name()).Then("restore onto a file system with extended attributes, such as ext4 or xfs")
		}
	}
	if err := root.Chmod(name, mode); err != nil {
		return unusable(name, err)
	}
	return nil
}

// sealed compares what was unpacked with the index.
func sealed(t io.Reader, sums map[string]string) (Backed, error) {
	var b Backed
	if err := json.NewDecoder(io.LimitReader(t, maxIndex)).Decode(&b); err != nil {
		return b, damaged("its index: %w", err)
	}
	for name, sum := range b.Sums {
		if sums[name] != sum {
			return b, damaged("%s is not as it was", name)
		}
	}
	if len(sums) != len(b.Sums) || sums[versionFile] == "" {
		return b, damaged("it holds %d files, not %d, or no version", len(sums), len(b.Sums))
	}
	if b.Version < 1 || b.Version > Version {
		return b, weir.Errorf(weir.Invalid, "the backup is of version %s, this program knows up to %d", strconv.Itoa(b.Version), Version).
			Then("restore it with the newer weir that made it")
	}
	return b, nil
}

// swap puts the fresh state in the place of the old one. The lock stays where it
// is: it is held. The version goes last, so that a crash in between leaves state
// that is refused, never one that is mixed.
func swap(dir, fresh string, old []string) error {
	slices.SortFunc(old, versionFirst)
	for _, name := range old {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return unusable(dir, err)
		}
	}
	names, err := stateOf(fresh)
	if err != nil {
		return err
	}
	slices.SortFunc(names, func(a, b string) int { return versionFirst(b, a) })
	for _, name := range names {
		if err := os.Rename(filepath.Join(fresh, name), filepath.Join(dir, name)); err != nil {
			return unusable(dir, err)
		}
	}
	return nil
}

func versionFirst(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == versionFile:
		return -1
	case b == versionFile:
		return 1
	}
	return strings.Compare(a, b)
}
