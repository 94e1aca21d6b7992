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
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/pkg/xattr"

	"github.com/weir-cdp/weir"
)

// backupIndex is the last entry of a backup: what makes it whole.
const backupIndex = ".weir-backup.json"

// notKept are what a backup leaves out: they are of a running platform, or of
// this machine.
var notKept = []string{lockFile, endpointsFile, scratchDir, timelinesDir}

// xattrPrefix marks an extended attribute in a tar header; the S3 store keeps its
// objects' attributes so.
const xattrPrefix = "SCHILY.xattr."

// Backed says what a backup holds.
type Backed struct {
	Version int               `json:"version"` // of the layout
	Files   int               `json:"files"`
	Bytes   int64             `json:"bytes"`
	Sums    map[string]string `json:"sums,omitempty"` // SHA-256 of each file
}

// Backup writes all state below dir (<project>/.weir) to w, as a tar compressed
// by zstd, while no platform runs on it. Conflict: one does. Secrets are in it:
// the store's credentials and the workspace's own.
func Backup(ctx context.Context, dir string, w io.Writer) (_ Backed, err error) {
	b := Backed{Sums: map[string]string{}}
	if _, err := os.Stat(filepath.Join(dir, versionFile)); err != nil {
		return b, weir.Errorf(weir.NotFound, "there is no state to back up").At(dir).Then("weir run makes some")
	}
	l, err := take(ctx, dir, holder{PID: os.Getpid(), Command: "weir backup"})
	if err != nil {
		return b, err
	}
	defer func() { err = errors.Join(err, l.release()) }()
	if b.Version, err = folder(dir).version(); err != nil {
		return b, err
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		return b, weir.Errorf(weir.Internal, "compress: %w", err)
	}
	t := tar.NewWriter(z)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == "." {
			return err
		}
		if slices.Contains(notKept, name) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		return b.add(t, path, filepath.ToSlash(name), d)
	})
	if err == nil {
		err = b.seal(t)
	}
	if err = errors.Join(err, t.Close(), z.Close()); err != nil {
		return b, weir.Errorf(weir.Unavailable, "back up: %w", err).At(dir).Then("check the room and rights where the backup is written")
	}
	return b, nil
}

// add writes one file or folder.
func (b *Backed) add(t *tar.Writer, path, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() && !info.IsDir() {
		return weir.Errorf(weir.Invalid, "%s is neither a file nor a folder", name).Then("nothing of Weir makes such: move it away")
	}
	h, err := tar.FileInfoHeader(info, "")
	if err != nil {
		return err
	}
	h.Name, h.Uname, h.Gname, h.Uid, h.Gid, h.Format = name, "", "", 0, 0, tar.FormatPAX
	if h.PAXRecords, err = attributesOf(path); err != nil {
		return err
	}
	if info.IsDir() {
		h.Name += "/"
		return t.WriteHeader(h)
	}
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(t, sum), f)
	b.Files++
	b.Bytes += n
	b.Sums[name] = hex.EncodeToString(sum.Sum(nil))
	return err
}

// attributesOf reads the user's extended attributes, where the file system has any.
func attributesOf(path string) (map[string]string, error) {
	names, err := xattr.LList(path)
	if err != nil {
		if errors.Is(err, xattr.ENOATTR) || isUnsupported(err) {
			return nil, nil
		}
		return nil, err
	}
	out := map[string]string{}
	for _, name := range names {
		if !strings.HasPrefix(name, "user.") {
			continue
		}
		v, err := xattr.LGet(path, name)
		if err != nil {
			return nil, err
		}
		out[xattrPrefix+name] = string(v)
	}
	return out, nil
}

func isUnsupported(err error) bool { return errors.Is(err, errors.ErrUnsupported) }

func (b *Backed) seal(t *tar.Writer) error {
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Name: backupIndex, Mode: 0o600, Size: int64(len(text)), Typeflag: tar.TypeReg, Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err = t.Write(text)
	return err
}

// Restore brings a backup back below dir. It is put together beside it and takes
// its place only once it is known to be whole. Conflict: a platform runs on dir,
// or there is state and force is not given, which then is replaced.
func Restore(ctx context.Context, dir string, r io.Reader, force bool) (_ Backed, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Backed{}, unusable(dir, err)
	}
	l, err := take(ctx, dir, holder{PID: os.Getpid(), Command: "weir restore"})
	if err != nil {
		return Backed{}, err
	}
	defer func() { err = errors.Join(err, l.release()) }()
	old, err := stateOf(dir)
	if err != nil {
		return Backed{}, err
	}
	if len(old) > 0 && !force {
		return Backed{}, weir.Errorf(weir.Conflict, "there is state already").At(dir).Then("give --force to replace it, or restore into another project")
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), ".weir-restore-*")
	if err != nil {
		return Backed{}, unusable(filepath.Dir(dir), err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(fresh)) }()
	b, err := unpack(ctx, fresh, r)
	if err != nil {
		return b, err
	}
	return b, swap(dir, fresh, old)
}
