package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir/test/clustertest"
	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// worker starts `weir worker` on a project and waits until it polls.
func worker(t *testing.T, p *weirtest.Project, args ...string) *weirtest.Process {
	t.Helper()
	x := p.Start(t, append([]string{"worker", "--verbose"}, args...)...)
	if !x.Until(t, "worker that polls", func(out, _ string) bool { return strings.Contains(out, "polling for shop") }) {
		out, errs := x.Printed()
		t.Fatalf("weir worker ended\n%s\n%s", out, errs)
	}
	return x
}

// once checks that no part of any run was recorded twice.
func once(t *testing.T, p *weirtest.Project) {
	t.Helper()
	for _, row := range p.Query(t, "select run_id, stage, part, count(*) as n from ops.runs group by all having count(*) > 1") {
		t.Errorf("recorded twice: %v", row)
	}
}

// letters counts what the agency got on these machines: a folder is of the machine that
// writes to it.
func letters(t *testing.T, machines ...*weirtest.Project) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, m := range machines {
		for row, n := range weirtest.Letters(t, m) {
			all[row] += n
		}
	}
	return all
}

// delivers tells which process delivers to the shop's e-mail tool.
func delivers(t *testing.T, c client.Client) (pid int) {
	t.Helper()
	d, err := c.DescribeWorkflowExecution(t.Context(), "shop/activate/esp", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range d.GetPendingActivities() {
		if _, err := fmt.Sscanf(a.GetLastWorkerIdentity(), "weir-worker %d@", &pid); err != nil {
			t.Fatalf("the worker is called %q: %v", a.GetLastWorkerIdentity(), err)
		}
	}
	return pid
}

// TestTwoWorkers: two workers on machines of their own share one Temporal and one
// lake. No stage runs twice; one is killed in the middle, and the other finishes;
// nothing is delivered twice. A schedule fires once.
func TestTwoWorkers(t *testing.T) {
	c := clustertest.Start(t)
	embedded, p := weirtest.Shop(t, "300"), weirtest.Shop(t, "300")
	embedded.Receive(t)
	d := p.Receive(t)
	embedded.Run(t, weirtest.Partial, "--now", now)
	want := weirtest.Letters(t, embedded)
	embedded.Dev(t)

	c.Use(t, p)
	one, two := p.Copy(t), p.Copy(t)
	first, second := worker(t, one), worker(t, two)
	came := make(chan struct{})
	gone := make(chan struct{})
	t.Cleanup(func() { d.Before(nil) })
	d.Before(func(n int) {
		if n == 2 {
			close(came)
			<-gone // the delivery is under way when its worker dies
		}
	})
	run := p.Start(t, "run", "--now", now)
	select {
	case <-came:
	case <-run.Done():
		t.Fatalf("the run ended before its deliveries: %+v", run.Wait(t, time.Second))
	case <-time.After(4 * time.Minute):
		t.Fatal("nothing was delivered")
	}
	killed, other := first, second
	if delivers(t, c.Temporal.Client(t)) == second.PID() {
		killed, other = second, first
	}
	killed.Kill()
	close(gone)
	d.Before(nil)
	if r := run.Wait(t, 4*time.Minute); r.Code != weirtest.Partial {
		out, errs := other.Printed()
		t.Fatalf("the run ended with %d\n%s\n%s\nthe other worker:\n%s\n%s", r.Code, r.Stdout, r.Stderr, out, errs)
	} else if strings.Contains(r.Stderr, "this process does it") {
		t.Errorf("the run did the work itself:\n%s", r.Stderr)
	}
	p.Run(t, weirtest.Done, "--now", now)
	weirtest.SameTables(t, embedded, p, "activation.deliveries")
	weirtest.Delivered(t, p, d)
	once(t, p)
	if diff := cmp.Diff(want, letters(t, p, one, two)); diff != "" {
		t.Errorf("the agency has other letters (-embedded +two machines)\n%s", diff)
	}

	if killed == first {
		worker(t, one)
	} else {
		worker(t, two)
	}
	scheduled(t, p)
}

// scheduled has a source collected every ten seconds, and looks that each time was
// taken once.
func scheduled(t *testing.T, p *weirtest.Project) {
	t.Helper()
	p.Write(t, "sources/crm.yaml", strings.Replace(p.Read(t, "sources/crm.yaml"), "streams:", "schedule: every 10s\nstreams:", 1))
	p.Must(t, weirtest.Done, "apply")
	runs := "select r.now, count(distinct run_id) as n from ops.runs r where stage = 'collect' and ends_with(run_id, '-crm') group by r.now"
	weirtest.Eventually(t, "three times of the schedule", func() bool { return len(p.Query(t, runs)) >= 3 })
	p.Write(t, "sources/crm.yaml", strings.Replace(p.Read(t, "sources/crm.yaml"), "schedule: every 10s\n", "", 1))
	p.Must(t, weirtest.Done, "apply")
	for _, row := range p.Query(t, runs) {
		if n := fmt.Sprint(row["n"]); n != "1" {
			t.Errorf("at %v the schedule fired %v times", row["now"], n)
		}
	}
	once(t, p)
}
