package embedded

import (
	"context"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/workflows"
)

// builtAs starts workers of a build that is taken over if it is not older.
func builtAs(t *testing.T, c client.Client, f *fakeStages, build string, force bool) (workflows.Workers, string) {
	t.Helper()
	work := f.work()
	work.Build = build
	w := workflows.NewWorkers(c, work)
	must(t, w.Start())
	current, err := workflows.TakeOver(t.Context(), c, "shop", build, force)
	must(t, err)
	return w, current
}

// buildOf is the build that a workflow ran on last.
func buildOf(t *testing.T, c client.Client, id string) string {
	t.Helper()
	d, err := c.DescribeWorkflowExecution(t.Context(), id, "")
	must(t, err)
	return d.GetWorkflowExecutionInfo().GetVersioningInfo().GetDeploymentVersion().GetBuildId()
}

// TestUpgradeInTheMiddle: a refresh that an older build began is ended by a newer one,
// beside the older one and after it is gone; an older build that comes back gets no
// workflow; taking over by force brings it back.
func TestUpgradeInTheMiddle(t *testing.T) {
	p := start(t, weirDir(t))
	c := dial(t, p)
	f := &fakeStages{dir: t.TempDir()}
	if build, versioned, err := workflows.CurrentBuild(t.Context(), c, "shop"); err != nil || build != "" || !versioned {
		t.Fatalf("at first the build is %q, %v, %v", build, versioned, err)
	}
	old, current := builtAs(t, c, f, "20260101-a", false)
	if current != "20260101-a" {
		t.Fatalf("the first build is not current, but %q", current)
	}
	must(t, f.set("hang", weir.Collect, "crm/contacts"))
	r, err := workflows.StartRefresh(t.Context(), c, request("one"))
	must(t, err)
	eventually(t, "a step runs", func() bool { return f.count("run collect crm/contacts") == 1 })
	if b := buildOf(t, c, workflows.RefreshID("shop")); b != "20260101-a" {
		t.Errorf("the refresh runs on build %q", b)
	}

	newer, current := builtAs(t, c, f, "20260201-b", false)
	defer newer.Stop()
	if current != "20260201-b" {
		t.Fatalf("the newer build is not current, but %q", current)
	}
	old.Stop() // its step ends as one of a worker that stops, and is done again
	must(t, f.clear("hang", weir.Collect, "crm/contacts"))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := r.Result(ctx)
	if err != nil || out.Outcome != workflows.Done {
		t.Fatalf("the refresh ended as %s: %v", out.Outcome, err)
	}
	if b := buildOf(t, c, workflows.RefreshID("shop")); b != "20260201-b" {
		t.Errorf("the refresh ended on build %q", b)
	}

	again, current := builtAs(t, c, f, "20260101-a", false)
	if current != "20260201-b" {
		t.Errorf("an older build has become current: %q", current)
	}
	second, err := workflows.StartRefresh(t.Context(), c, request("two"))
	must(t, err)
	if _, err := second.Result(ctx); err != nil {
		t.Error(err)
	}
	if b := buildOf(t, c, workflows.RefreshID("shop")); b != "20260201-b" {
		t.Errorf("a refresh beside an older worker ran on build %q", b)
	}
	again.Stop()

	forced, current := builtAs(t, c, f, "20260101-a", true)
	defer forced.Stop()
	if current != "20260101-a" {
		t.Errorf("by force %q is current", current)
	}
	third, err := workflows.StartRefresh(t.Context(), c, request("three"))
	must(t, err)
	if _, err := third.Result(ctx); err != nil {
		t.Error(err)
	}
	if b := buildOf(t, c, workflows.RefreshID("shop")); b != "20260101-a" {
		t.Errorf("after going back a refresh ran on build %q", b)
	}
}
