package embedded

import (
	"archive/tar"
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pkg/xattr"

	"github.com/weir-cdp/weir"
)

// filled is a state folder as a platform leaves it.
func filled(t *testing.T) (dir string, attributes bool) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), ".weir")
	for name, text := range map[string]string{"version": "1\n", "credentials": "{}", "temporal/history.db": strings.Repeat("h", 300_000),
		"s3/lake/core/a.parquet": "rows", "catalog.db": "c", "lock": `{"pid":1}`, "endpoints.json": "{}", "scratch/x/tmp": "t"} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	must(t, os.Chmod(filepath.Join(dir, "catalog.db"), 0o640))
	err := xattr.Set(filepath.Join(dir, "s3/lake/core/a.parquet"), "user.etag", []byte("e\x00\x01"))
	if err != nil && !isUnsupported(err) {
		t.Fatal(err)
	}
	return dir, err == nil
}

// contents reads a folder's files with their modes, the lock left out.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == lockFile {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		out[name] = info.Mode().String() + " " + string(b)
		return err
	}))
	return out
}

func backedUp(t *testing.T, dir string) []byte {
	t.Helper()
	var buf bytes.Buffer
	b, err := Backup(t.Context(), dir, &buf)
	must(t, err)
	if b.Files != 5 || b.Version != 1 {
		t.Fatalf("backed up %d files of version %d", b.Files, b.Version)
	}
	return buf.Bytes()
}

func TestABackupBringsAllBack(t *testing.T) {
	dir, attributes := filled(t)
	want := contents(t, dir)
	for _, left := range []string{"endpoints.json", "scratch/x/tmp"} {
		delete(want, left)
	}
	data := backedUp(t, dir)
	into := filepath.Join(t.TempDir(), "elsewhere", ".weir")
	_, err := Restore(t.Context(), into, bytes.NewReader(data), false)
	must(t, err)
	if got := contents(t, into); !maps.Equal(got, want) {
		t.Errorf("restored %v", got)
	}
	if v, err := xattr.Get(filepath.Join(into, "s3/lake/core/a.parquet"), "user.etag"); attributes && (err != nil || string(v) != "e\x00\x01") {
		t.Errorf("the object's attribute is %q, %v", v, err)
	}
	if again := backedUp(t, into); len(again) == 0 {
		t.Error("the copy can't be backed up")
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(into), ".weir-restore-*"))
	if must(t, err); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestARestoreReplacesStateOnlyByForce(t *testing.T) {
	dir, _ := filled(t)
	data := backedUp(t, dir)
	must(t, os.WriteFile(filepath.Join(dir, "s3", "later"), []byte("new"), 0o600))
	before := contents(t, dir)
	_, err := Restore(t.Context(), dir, bytes.NewReader(data), false)
	if weir.CodeOf(err) != weir.Conflict || !strings.Contains(err.Error(), "--force") || !maps.Equal(contents(t, dir), before) {
		t.Fatalf("without force: %v", err)
	}
	_, err = Restore(t.Context(), dir, bytes.NewReader(data), true)
	must(t, err)
	if _, later := contents(t, dir)["s3/later"]; later {
		t.Error("what came after the backup is still there")
	}
}

func TestARunningPlatformIsNotBackedUp(t *testing.T) {
	dir, _ := filled(t)
	data := backedUp(t, dir)
	l, err := take(t.Context(), dir, holder{PID: 7, Command: "weir dev"})
	must(t, err)
	defer func() { must(t, l.release()) }()
	if _, err := Backup(t.Context(), dir, &bytes.Buffer{}); weir.CodeOf(err) != weir.Conflict || !strings.Contains(err.Error(), "weir dev") {
		t.Errorf("backup: %v", err)
	}
	if _, err := Restore(t.Context(), dir, bytes.NewReader(data), true); weir.CodeOf(err) != weir.Conflict {
		t.Errorf("restore: %v", err)
	}
}

func TestADamagedBackupChangesNothing(t *testing.T) {
	dir, _ := filled(t)
	data := backedUp(t, dir)
	flipped := bytes.Clone(data)
	flipped[len(flipped)/2] ^= 0xff
	for name, bad := range map[string][]byte{
		"empty": {}, "cut off": data[:len(data)-20], "cut in half": data[:len(data)/2], "a flipped bit": flipped, "no archive": []byte("hello, this is text"),
		"escapes upwards": archive(t, "../evil", "x"), "absolute": archive(t, "/etc/evil", "x"), "the lock": archive(t, "lock", "x"),
		"hidden escape": archive(t, "s3/../../evil", "x"), "no index": archive(t, "version", "1\n"),
		"another content":  archive(t, "version", "1\n", backupIndex, `{"version":1,"sums":{"version":"00"}}`),
		"a file too many":  archive(t, "version", "1\n", "more", "x", backupIndex, `{"version":1,"sums":{"version":"4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"}}`),
		"a newer version":  archive(t, "version", "1\n", backupIndex, `{"version":99,"sums":{"version":"4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"}}`),
		"the same twice":   archive(t, "version", "1\n", "version", "1\n"),
		"a symbolic link":  linked(t),
		"nothing but junk": bytes.Repeat([]byte{0x28, 0xb5, 0x2f, 0xfd}, 50),
	} {
		t.Run(name, func(t *testing.T) {
			into := filepath.Join(t.TempDir(), "p", ".weir")
			_, err := Restore(t.Context(), into, bytes.NewReader(bad), false)
			var e *weir.Error
			if !errors.As(err, &e) || e.Next == "" {
				t.Errorf("got %v", err)
			}
			if got := contents(t, filepath.Dir(filepath.Dir(into))); len(got) != 1 { // the lock's path, seen from above
				t.Errorf("wrote %v", got)
			}
		})
	}
}

// archive makes a backup by hand of names and texts.
func archive(t *testing.T, pairs ...string) []byte {
	t.Helper()
	return compressed(t, func(w *tar.Writer) {
		for i := 0; i < len(pairs); i += 2 {
			must(t, w.WriteHeader(&tar.Header{Name: pairs[i], Mode: 0o600, Size: int64(len(pairs[i+1])), Typeflag: tar.TypeReg}))
			_, err := w.Write([]byte(pairs[i+1]))
			must(t, err)
		}
	})
}

func linked(t *testing.T) []byte {
	t.Helper()
	return compressed(t, func(w *tar.Writer) {
		must(t, w.WriteHeader(&tar.Header{Name: "s3", Linkname: "/etc", Typeflag: tar.TypeSymlink}))
	})
}

func compressed(t *testing.T, write func(*tar.Writer)) []byte {
	t.Helper()
	var buf bytes.Buffer
	z, err := zstd.NewWriter(&buf)
	must(t, err)
	w := tar.NewWriter(z)
	write(w)
	must(t, w.Close())
	must(t, z.Close())
	return buf.Bytes()
}
