package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// hold makes a destination keep requests waiting until release is called.
func hold(t *testing.T, d *weirtest.Destination) (came <-chan struct{}, release func()) {
	t.Helper()
	first, open := make(chan struct{}), make(chan struct{})
	d.Before(func(n int) {
		if n == 1 {
			close(first)
		}
		<-open
	})
	released := false
	release = func() {
		if !released {
			released = true
			close(open)
		}
	}
	t.Cleanup(release)
	return first, release
}

// TestTwoRuns: while one run is under way, another is refused and harms nothing,
// and the tables can be asked.
func TestTwoRuns(t *testing.T) {
	t.Parallel()
	p := weirtest.Shop(t, "300")
	d := p.Receive(t)
	came, release := hold(t, d)
	first := p.Start(t, "run", "--now", now)
	<-came
	second := p.Must(t, weirtest.Failed, "run", "--now", now)
	if !strings.Contains(second.Stderr, `a refresh of workspace "shop" is running`) || !strings.Contains(second.Stderr, "wait until it ends") {
		t.Errorf("the second run says:\n%s", second.Stderr)
	}
	if n := p.Numbers(t, map[string]string{"n": "select count(*) from core.profiles"})["n"]; n == 0 {
		t.Error("no profile is seen while the run delivers")
	}
	if dev := p.Must(t, weirtest.Failed, "dev"); !strings.Contains(dev.Stderr, "weir run is already running on this folder") {
		t.Errorf("weir dev beside a run says:\n%s", dev.Stderr)
	}
	if first.Ended() {
		t.Fatal("the first run ended before its destination answered")
	}
	release()
	if r := first.Wait(t, time.Minute); r.Code != weirtest.Partial {
		t.Errorf("the first run ended with %d\n%s\n%s", r.Code, r.Stdout, r.Stderr)
	}
	p.Must(t, weirtest.Done, "run", "--now", now)
	weirtest.Delivered(t, p, d)
}

// TestHangingDestination: a destination that never answers delays no other one,
// and the run does not wait for ever.
func TestHangingDestination(t *testing.T) {
	t.Parallel()
	p := weirtest.Shop(t, "800")
	d := p.Receive(t)
	came, release := hold(t, d)
	p.Dev(t)
	run := p.Start(t, "run", "--json", "--now", now, "--delivery-wait", "20s")
	<-came
	letters := map[string]string{"n": "select count(*) from activation.state where activation = 'vip_letter'"}
	weirtest.Eventually(t, "the other destination's delivery is committed", func() bool { return p.Numbers(t, letters)["n"] > 0 })
	if run.Ended() {
		t.Fatal("the run ended before its bounded wait")
	}
	r := run.Wait(t, time.Minute)
	var s weirtest.Refresh
	r.JSON(t, &s)
	if got := s.Find(t, "activate", "esp").Outcome; r.Code != weirtest.Partial || got != "delivering" {
		t.Errorf("the run ended with %d, the hanging destination as %s", r.Code, got)
	}
	if got := s.Find(t, "activate", "agency").Outcome; got != "done" {
		t.Errorf("the other destination is %s", got)
	}
	release()
	weirtest.Eventually(t, "the delivery that hung ends", func() bool {
		return p.Weir(t, "run", "--now", now).Code == weirtest.Done && len(d.State().Activations["newsletter"]) > 0
	})
	weirtest.Delivered(t, p, d)
}
