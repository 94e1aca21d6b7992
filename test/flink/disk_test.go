package flink

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// withNotes gives a shop notes that don't compress to what is kept in memory of a file
// (4 MiB): smaller ones are never on a disk.
func withNotes(t *testing.T, p *weirtest.Project) {
	t.Helper()
	const rows, length = 20000, 375
	noise := rand.NewChaCha8([32]byte{7})
	var b strings.Builder
	b.WriteString("id,note,updated\n")
	for i := range rows {
		note := make([]byte, length)
		_, _ = noise.Read(note) // never fails
		fmt.Fprintf(&b, "N%06d,%s,2026-06-30 12:00:00\n", i, base64.StdEncoding.EncodeToString(note))
	}
	p.Write(t, "data/notes.csv", b.String())
	p.Write(t, "sources/notes.yaml", `connector: files
config: {path: data}
streams:
  notes:
    path: notes.csv
    key: [id]
    as: person
    map:
      identifiers: {crm_id: id}
      attributes: {note: note}
      observed_at: updated
`)
}

// folderMissing takes the task managers' folders for temporary files away.
func (x *trouble) folderMissing(t *testing.T) {
	x.noRoom(t, "folder", "no such file or directory", func(dir string) func() {
		if err := os.Rename(dir, dir+"-away"); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := os.Rename(dir+"-away", dir); err != nil {
				t.Error(err)
			}
		}
	})
}

// diskFull puts those folders on a disk with next to no room.
func (x *trouble) diskFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("run the tests as root: a small disk is mounted")
	}
	x.noRoom(t, "disk", "no space left on device", func(dir string) func() {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
			t.Skipf("run the tests as root and outside a container without mounts: a small disk cannot be mounted (%v)", err)
		}
		return func() {
			if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
				t.Error(err)
			}
		}
	})
}

// noRoom runs the spec where no task manager can keep a temporary file, and once more
// when that is mended.
func (x *trouble) noRoom(t *testing.T, name, says string, spoil func(dir string) (mend func())) {
	t.Helper()
	fresh, was, spec := again(t, x.store, x.key, name)
	want, err := pipelines.ReadManifest(t.Context(), x.store, was)
	if err != nil {
		t.Fatal(err)
	}
	var mend []func()
	mended := func() {
		for _, f := range mend {
			f()
		}
		mend = nil
	}
	defer mended()
	for i := range x.f.TaskManagers {
		mend = append(mend, spoil(x.f.Disk(i)))
	}
	_, err = x.runner(t, nil).Run(t.Context(), fresh, nil)
	if said := fmt.Sprint(err); weir.CodeOf(err) != weir.Unavailable || !strings.Contains(said, "can't write a temporary file") || !strings.Contains(said, says) || strings.Contains(said, "java") {
		t.Errorf("got %s: %v", weir.CodeOf(err), err)
	}
	x.clean(t)
	if _, err := pipelines.ReadManifest(t.Context(), x.store, spec); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("a failed run left a manifest: %v", err)
	}
	mended()
	got, err := x.runner(t, nil).Run(t.Context(), fresh, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text(t, got) != text(t, want) {
		t.Errorf("on Flink\n%s\nin a child\n%s", text(t, got), text(t, want))
	}
	x.clean(t)
}
