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
	p := weirtest.Shop(t, "300")
	d := p.Receive(t)
	dir := smallDisk(t, p)
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

// TestFullDiskOfDev: a platform whose disk gets full while it works says so, lets
// what runs wait, answers meanwhile, and goes on by itself when there is room.
func TestFullDiskOfDev(t *testing.T) {
	t.Parallel()
	p := weirtest.Shop(t, "300")
	d := p.Receive(t)
	dir := smallDisk(t, p)
	p.Env = []string{"WEIR_ANY_PORTS=1"}
	dev := p.Dev(t)
	run := p.Start(t, "run", "--verbose", "--now", now)
	run.Until(t, "part that ended", func(_, errs string) bool { return strings.Contains(errs, "part ended") })
	ballast := fill(t, dir, 8<<20)
	if r := run.Wait(t, 2*time.Minute); r.Code != weirtest.Failed || !strings.Contains(r.Stderr, "the disk is full") {
		t.Errorf("the run ended with %d and says\n%s", r.Code, r.Stderr)
	}
	dev.Until(t, "warning of the platform", func(_, errs string) bool {
		return strings.Contains(errs, "work waits") && strings.Contains(errs, "the disk is full")
	})
	var out string
	t.Cleanup(func() {
		if t.Failed() {
			_, said := dev.Printed()
			t.Logf("the last status:\n%s\nthe platform:\n%s", out, said)
		}
	})
	weirtest.Eventually(t, "the status says what waits, and why", func() bool {
		out = p.Must(t, weirtest.Done, "status").Stdout
		return strings.Contains(out, "the disk is full") && strings.Contains(out, "(waits for room on the disk)")
	})
	before := done(t, p)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	dev.Until(t, "notice of the platform", func(_, errs string) bool { return strings.Contains(errs, "has room again") })
	weirtest.Eventually(t, "the refresh went on by itself", func() bool { return done(t, p) == 1 })
	if before != 0 {
		t.Error("deliveries were made on a full disk")
	}
	if out = p.Must(t, weirtest.Done, "status").Stdout; strings.Contains(out, "the disk is full") {
		t.Errorf("the status still says\n%s", out)
	}
	calm := weirtest.Shop(t, "300")
	calm.Receive(t)
	calm.Run(t, weirtest.Partial, "--now", now)
	calm.Dev(t)
	weirtest.SameTables(t, calm, p, afterKills)
	weirtest.Delivered(t, p, d)
}

// done tells whether the webhook's deliveries of a run have ended well.
func done(t *testing.T, p *weirtest.Project) int64 {
	t.Helper()
	return p.Numbers(t, map[string]string{"n": "select count(distinct part) from ops.runs where stage = 'activate' and part = 'esp' and status in ('done', 'partial')"})["n"]
}

// smallDisk puts the project's state on a disk of 256 MiB.
func smallDisk(t *testing.T, p *weirtest.Project) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("run the tests as root: a small disk is mounted")
	}
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
	return dir
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
