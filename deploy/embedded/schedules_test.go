package embedded

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/workflows"
)

func spec(source string, every time.Duration) workflows.ScheduleSpec {
	parts := request("").Parts
	parts.Sources = parts.Sources[:1]
	return workflows.ScheduleSpec{Source: source, Every: every,
		Input: workflows.ScheduledInput{Workspace: "shop", Project: "projects/1", Source: source, Parts: parts}}
}

func TestSchedulesAreReconciled(t *testing.T) {
	p := start(t, weirDir(t))
	c, ctx := dial(t, p), t.Context()
	apply := func(want []workflows.Change, specs ...workflows.ScheduleSpec) {
		t.Helper()
		var got []workflows.Change
		eventually(t, "the list of schedules is up to date", func() bool {
			have, err := workflows.Schedules(ctx, c, "shop")
			must(t, err)
			return reflect.DeepEqual(workflows.Diff(have, specs), want)
		})
		got, err := workflows.Apply(ctx, c, "shop", specs)
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("did %v, want %v", got, want)
		}
	}
	crm, shop := spec("crm", time.Hour), spec("shop", time.Hour)
	apply([]workflows.Change{{Source: "crm", Action: "create"}, {Source: "shop", Action: "create"}}, crm, shop)
	got, err := workflows.Apply(ctx, c, "shop", []workflows.ScheduleSpec{crm, shop}) // at once, whatever the list says
	if err != nil || len(got) != 0 {
		t.Errorf("the second time did %v, %v", got, err)
	}
	must(t, workflows.PauseSource(ctx, c, "shop", "crm", true))
	nightly := spec("crm", 0)
	nightly.Cron, nightly.Timezone = "0 2 * * *", "Europe/Paris"
	apply([]workflows.Change{{Source: "crm", Action: "update"}}, nightly, shop)
	d, err := c.ScheduleClient().GetHandle(ctx, workflows.ScheduleID("shop", "crm")).Describe(ctx)
	must(t, err)
	if !d.Schedule.State.Paused || d.Schedule.Policy.CatchupWindow != 12*time.Hour || d.Schedule.Spec.TimeZoneName != "Europe/Paris" {
		t.Errorf("got %+v, %+v", d.Schedule.State, d.Schedule.Policy)
	}
	apply([]workflows.Change{{Source: "shop", Action: "delete"}}, nightly)
	bad := nightly
	bad.Cron = "every full moon"
	if _, err := workflows.Apply(ctx, c, "shop", []workflows.ScheduleSpec{bad}); weir.CodeOf(err) != weir.Invalid {
		t.Errorf("got %v", err)
	}
	if err := workflows.PauseSource(ctx, c, "shop", "none", true); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("got %v", err)
	}
}

func TestScheduleRefreshesAtItsTime(t *testing.T) {
	dir := weirDir(t)
	p := start(t, dir)
	c, ctx := dial(t, p), t.Context()
	fakes := &fakeStages{dir: filepath.Dir(dir)}
	workers := workflows.NewWorkers(c, fakes.work())
	must(t, workers.Start())
	defer workers.Stop()
	_, err := workflows.Apply(ctx, c, "shop", []workflows.ScheduleSpec{spec("crm", time.Second)})
	must(t, err)
	var s workflows.Snapshot
	eventually(t, "a scheduled refresh is done", func() bool {
		s, err = workflows.Status(ctx, c, "shop")
		return err == nil && s.Outcome == workflows.Done
	})
	if s.Run.Now.Nanosecond() != 0 || s.Run.ID != weir.NewRunID(s.Run.Now, "crm") || len(s.Parts) != 8 {
		t.Errorf("got %+v", s)
	}
	_, err = workflows.Apply(ctx, c, "shop", nil)
	must(t, err)
}

// TestHangingDestinationDelaysNoOther is the promise of the issue, on a real
// server: one destination hangs, the other's delivery ends meanwhile.
func TestHangingDestinationDelaysNoOther(t *testing.T) {
	dir := weirDir(t)
	p := start(t, dir)
	c, ctx := dial(t, p), t.Context()
	fakes := &fakeStages{dir: filepath.Dir(dir)}
	must(t, fakes.set("hang", weir.Activate, "ads"))
	workers := workflows.NewWorkers(c, fakes.work())
	must(t, workers.Start())
	defer workers.Stop()
	first, err := workflows.StartRefresh(ctx, c, request("first"))
	must(t, err)
	eventually(t, "the other delivery ends", func() bool { return fakes.count("commit activate newsletter") == 1 })
	if _, err := workflows.StartRefresh(ctx, c, request("second")); weir.CodeOf(err) != weir.Conflict {
		t.Errorf("a second refresh: %v", err)
	}
	if fakes.count("run activate ads") != 1 || fakes.count("commit activate ads") != 0 {
		t.Errorf("after %v", fakes.calls)
	}
	must(t, fakes.clear("hang", weir.Activate, "ads"))
	var shown []workflows.Snapshot
	out, err := first.Watch(ctx, func(s workflows.Snapshot) { shown = append(shown, s) })
	must(t, err)
	if out.Outcome != workflows.Done || len(shown) == 0 || !reflect.DeepEqual(shown[len(shown)-1], out) {
		t.Errorf("got %+v, shown %d", out, len(shown))
	}
	if _, err := c.QueryWorkflow(ctx, workflows.RefreshID("none"), "", workflows.StatusQuery); err == nil {
		t.Error("a workspace that never ran has a status")
	}
}
