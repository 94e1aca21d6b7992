package e2e

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// TestFullDisk: a run on a disk that gets full says so and shows nothing half, and
// after the disk was enlarged it ends as if nothing had been.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("run the tests as root: a small disk is mounted")
	}
	p := weirtest.Shop(t, "300")
	d := p.Receive(t)
	dir := p.Path(".weir")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256m"); err != nil {
		t.Skipf("run the tests as root and outside a container without mounts: a small disk cannot be mounted (%v)", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	run := p.Start(t, "run", "--verbose", "--now", now)
	run.Until(t, "part that ended", func(_, errs string) bool { return strings.Contains(errs, "part ended") })
	ballast := fill(t, dir, 256<<10)
	r := run.Wait(t, 2*time.Minute)
	if r.Code != weirtest.Failed || !strings.Contains(r.Stderr, "the disk is full") || !strings.Contains(r.Stderr, "make room") {
		t.Errorf("the run ended with %d and says\n%s", r.Code, r.Stderr)
	}
	r = p.Must(t, weirtest.Failed, "run", "--now", now)
	if said := strings.TrimSpace(r.Stderr); !strings.Contains(said, "the disk is full") || strings.Count(said, "\n") > 1 {
		t.Errorf("the next run says more than its date and the disk\n%s", r.Stderr)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	weirtest.Eventually(t, "a run ends well after the disk was enlarged", func() bool {
		r := p.Weir(t, "run", "--now", now)
		return r.Code == weirtest.Done || r.Code == weirtest.Partial
	})
	calm := weirtest.Shop(t, "300")
	calm.Receive(t)
	calm.Run(t, weirtest.Partial, "--now", now)
	calm.Dev(t)
	p.Dev(t)
	weirtest.SameTables(t, calm, p, afterKills)
	weirtest.Delivered(t, p, d)
}

// fill leaves so many bytes of a disk free.
func fill(t *testing.T, dir string, leave int64) string {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(dir + "/ballast")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 64<<10)
	for n := int64(s.Bavail)*s.Bsize - leave; n > 0; n -= int64(len(block)) {
		if _, err := f.Write(block[:min(n, int64(len(block)))]); err != nil {
			t.Fatal(err)
		}
	}
	return f.Name()
}
