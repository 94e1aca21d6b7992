package cluster

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir/test/clustertest"
	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// TestPartsDieInTheMiddle kills each part of the cluster while a run needs it, and
// starts it again, which takes seconds, as whoever runs it would. Nobody touches weir: the
// run ends, the tables are those of an undisturbed one, and nothing is delivered twice.
func TestPartsDieInTheMiddle(t *testing.T) {
	c := clustertest.Start(t)
	embedded, p := weirtest.Shop(t, "300"), weirtest.Shop(t, "300")
	embedded.Receive(t)
	d := p.Receive(t)
	embedded.Run(t, weirtest.Partial, "--now", now)
	want := weirtest.Letters(t, embedded)
	embedded.Dev(t)
	c.Use(t, p)
	machine := p.Copy(t)
	w := worker(t, machine)
	run := p.Start(t, "run", "--verbose", "--now", now)
	for _, kill := range []struct {
		after int // so many parts have ended
		part  *clustertest.Part
	}{{2, c.Store.Part}, {7, c.Catalog.Part}, {9, c.Temporal.Part}, {10, c.Store.Part}} {
		if !run.Until(t, "progress", func(_, errs string) bool { return strings.Count(errs, "part ended") >= kill.after }) {
			break // it says why below
		}
		kill.part.Kill()
		kill.part.Restart(t)
	}
	r := run.Wait(t, 8*time.Minute)
	if r.Code != weirtest.Partial {
		out, errs := w.Printed()
		t.Logf("the run ended with %d\n%s\n%s\nthe worker:\n%s\n%.4000s", r.Code, r.Stdout, r.Stderr, out, errs)
		// It resumes without a person: the workflow goes on with the worker, or what is
		// missing is done by the next run.
		p.Must(t, weirtest.Partial, "run", "--now", now)
	}
	p.Run(t, weirtest.Done, "--now", now)
	weirtest.SameTables(t, embedded, p, "activation.deliveries")
	weirtest.Delivered(t, p, d)
	once(t, p)
	if diff := cmp.Diff(want, letters(t, p, machine)); diff != "" {
		t.Errorf("the agency has other letters (-embedded +cluster)\n%s", diff)
	}
	if w.Ended() {
		t.Error("the worker has ended")
	}
}
