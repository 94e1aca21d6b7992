package embedded

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/workflows"
)

// TestRecordHistories records the fixtures of workflows' replay test: every
// workflow, through its branches, on a real server with fake stages under
// production names. Record them at the commit that is deployed, before changing
// a workflow: a history recorded afterwards proves nothing.
//
//	WEIR_REPLAY_RECORD=1 go test ./deploy/embedded -run TestRecordHistories
//
// "policy" in the place of 1 records the histories of publications alone.
func TestRecordHistories(t *testing.T) {
	if os.Getenv("WEIR_REPLAY_RECORD") == "" {
		t.Skip("records only with WEIR_REPLAY_RECORD=1")
	}
	dir := weirDir(t)
	p := start(t, dir)
	r := &recorder{t: t, fakes: &fakeStages{dir: filepath.Dir(dir)}}
	var err error
	r.client, err = client.DialContext(t.Context(), client.Options{
		HostPort: p.Endpoints().Temporal, Namespace: Namespace, Identity: "recorder", HeadersProvider: p.Endpoints().token,
		Logger: sdklog.NewStructuredLogger(quieter(testLog(), "sdk", slog.LevelWarn))})
	must(t, err)
	defer r.client.Close()
	workers := workflows.NewWorkers(r.client, r.fakes.work())
	must(t, workers.Start())
	defer workers.Stop()
	if os.Getenv("WEIR_REPLAY_RECORD") == "policy" {
		r.published()
		return
	}
	for _, scenario := range []func(){r.done, r.unchanged, r.failing, r.stageFails, r.hanging, r.cancelled, r.paused, r.held, r.scheduled, r.maintained, r.published} {
		scenario()
	}
}

type recorder struct {
	t      *testing.T
	fakes  *fakeStages
	client client.Client
}

// export writes the last history of a workflow.
func (r *recorder) export(name, id string) {
	r.t.Helper()
	h := &historypb.History{}
	// Long polling, so that a workflow about to end is recorded whole.
	events := r.client.GetWorkflowHistory(r.t.Context(), id, "", true, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		must(r.t, err)
		h.Events = append(h.Events, e)
	}
	b, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(h)
	must(r.t, err)
	host, err := os.Hostname()
	must(r.t, err)
	b = bytes.ReplaceAll(b, []byte(host), []byte("recorder")) // in the names of sticky queues
	dir := filepath.Join("..", "..", "workflows", "testdata", "replay")
	must(r.t, os.MkdirAll(dir, 0o755))
	must(r.t, os.WriteFile(filepath.Join(dir, name+".json"), append(b, '\n'), 0o644))
}

func (r *recorder) start(in workflows.RefreshInput) *workflows.Refreshing {
	r.t.Helper()
	s, err := workflows.StartRefresh(r.t.Context(), r.client, in)
	must(r.t, err)
	return s
}

func (r *recorder) finish(in workflows.RefreshInput, want workflows.Outcome) {
	r.t.Helper()
	s, err := r.start(in).Result(r.t.Context())
	if s.Outcome != want {
		r.t.Fatalf("ended as %+v, %v", s, err)
	}
}

func (r *recorder) set(verb string, stage weir.Stage, part string) {
	must(r.t, r.fakes.set(verb, stage, part))
}
func (r *recorder) clear(verb string, stage weir.Stage, part string) {
	must(r.t, r.fakes.clear(verb, stage, part))
}

func (r *recorder) until(call string, n int) {
	r.t.Helper()
	eventually(r.t, call, func() bool { return r.fakes.count(call) >= n })
}

func (r *recorder) done() {
	r.finish(request("done"), workflows.Done)
	r.export("refresh-done", workflows.RefreshID("shop"))
	r.export("collect-done", workflows.CollectID("shop", "shop"))
	r.export("stream-done", workflows.StreamID("shop", "shop", "orders"))
	for _, s := range []weir.Stage{weir.Conform, weir.Resolve, weir.Unify, weir.Segment, weir.Decide} {
		r.export(string(s)+"-done", workflows.StageID("shop", s))
	}
	r.export("activate-done", workflows.ActivateID("shop", "ads"))
}

func (r *recorder) unchanged() {
	r.set("unchanged", weir.Conform, "")
	r.set("unchanged", weir.Collect, "crm/contacts")
	r.finish(request("unchanged"), workflows.Done)
	r.export("conform-unchanged", workflows.StageID("shop", weir.Conform))
	r.export("stream-unchanged", workflows.StreamID("shop", "crm", "contacts"))
	r.clear("unchanged", weir.Conform, "")
	r.clear("unchanged", weir.Collect, "crm/contacts")
}

func (r *recorder) failing() {
	r.set("fail", weir.Collect, "shop/orders")
	r.set("fail", weir.Activate, "ads")
	r.finish(request("failing"), workflows.Partial)
	r.export("refresh-partial", workflows.RefreshID("shop"))
	r.export("collect-partial", workflows.CollectID("shop", "shop"))
	r.export("stream-failed", workflows.StreamID("shop", "shop", "orders"))
	r.export("activate-failed", workflows.ActivateID("shop", "ads"))
	r.clear("fail", weir.Collect, "shop/orders")
	r.clear("fail", weir.Activate, "ads")
}

func (r *recorder) stageFails() {
	r.set("fail", weir.Resolve, "")
	r.finish(request("stagefails"), workflows.Failed)
	r.export("refresh-failed", workflows.RefreshID("shop"))
	r.export("resolve-failed", workflows.StageID("shop", weir.Resolve))
	r.clear("fail", weir.Resolve, "")
}

func (r *recorder) hanging() {
	r.set("hang", weir.Activate, "ads")
	in := request("hanging")
	in.DeliveryWait = time.Second
	r.finish(in, workflows.Partial)
	r.export("refresh-delivering", workflows.RefreshID("shop"))
	r.finish(request("busy"), workflows.Partial)
	r.export("refresh-busy", workflows.RefreshID("shop"))
	r.clear("hang", weir.Activate, "ads")
	r.export("activate-late", workflows.ActivateID("shop", "ads"))
}

func (r *recorder) cancelled() {
	r.set("hang", weir.Unify, "")
	n := r.fakes.count("run unify")
	s := r.start(request("cancelled"))
	r.until("run unify", n+1)
	must(r.t, s.Cancel(r.t.Context()))
	if _, err := s.Result(r.t.Context()); weir.CodeOf(err) != weir.Conflict {
		r.t.Fatalf("ended with %v", err)
	}
	r.export("refresh-cancelled", workflows.RefreshID("shop"))
	r.export("unify-cancelled", workflows.StageID("shop", weir.Unify))
	r.clear("hang", weir.Unify, "")
}

// paused pauses a stream while it reads: the collect leaves it behind, and it
// ends after the resume.
func (r *recorder) paused() {
	ctx, run := r.t.Context(), request("paused").Run
	r.set("hang", weir.Collect, "crm/contacts")
	n := r.fakes.count("run collect crm/contacts")
	in := workflows.CollectInput{Run: run, Source: "crm", Streams: []workflows.StreamRequest{{Name: "contacts"}}}
	c, err := workflows.StartCollect(ctx, r.client, in)
	must(r.t, err)
	r.until("run collect crm/contacts", n+1)
	must(r.t, workflows.PauseStream(ctx, r.client, run, "crm", "contacts"))
	out, err := c.Result(ctx)
	if err != nil || out.Streams[0].Outcome != workflows.Paused {
		r.t.Fatalf("ended as %+v, %v", out, err)
	}
	r.export("collect-paused", workflows.CollectID("shop", "crm"))
	c, err = workflows.StartCollect(ctx, r.client, in)
	must(r.t, err)
	out, err = c.Result(ctx)
	if err != nil || out.Streams[0].Outcome != workflows.Busy {
		r.t.Fatalf("ended as %+v, %v", out, err)
	}
	r.export("collect-busy", workflows.CollectID("shop", "crm"))
	r.clear("hang", weir.Collect, "crm/contacts")
	must(r.t, workflows.ResumeStream(ctx, r.client, "crm", "contacts", workflows.StreamCommand{Run: &run}))
	r.export("stream-paused", workflows.StreamID("shop", "crm", "contacts"))
}

// held pauses an idle stream, and resumes it with a reset.
func (r *recorder) held() {
	ctx, run := r.t.Context(), request("held").Run
	must(r.t, workflows.PauseStream(ctx, r.client, run, "shop", "orders"))
	s, err := workflows.StreamReport(ctx, r.client, "shop", "shop", "orders")
	if err != nil || s.Outcome != workflows.Paused {
		r.t.Fatalf("is %+v, %v", s, err)
	}
	run.Project = "projects/2"
	must(r.t, workflows.ResumeStream(ctx, r.client, "shop", "orders", workflows.StreamCommand{Run: &run, Mode: workflows.Reset}))
	r.export("stream-held", workflows.StreamID("shop", "shop", "orders"))
	if r.fakes.count("reset shop/orders") != 1 {
		r.t.Fatal("was not reset")
	}
	err = workflows.ResumeStream(ctx, r.client, "shop", "orders", workflows.StreamCommand{Run: &run})
	if weir.CodeOf(err) != weir.NotFound {
		r.t.Fatalf("resumed twice: %v", err)
	}
}

// scheduled fires a schedule while another refresh runs, and once more to fail.
func (r *recorder) scheduled() {
	ctx := r.t.Context()
	in := request("")
	_, err := workflows.Apply(ctx, r.client, "shop", []workflows.ScheduleSpec{{Source: "crm", Every: 1000 * time.Hour,
		Input: workflows.ScheduledInput{Workspace: "shop", Project: "projects/1", Source: "crm", Parts: in.Parts}}})
	must(r.t, err)
	r.set("hang", weir.Segment, "")
	n := r.fakes.count("run segment")
	r.start(request("first"))
	r.until("run segment", n+1)
	turn := r.trigger(ctx, "crm")
	eventually(r.t, "it waits for its turn", func() bool {
		d, err := r.client.DescribeWorkflowExecution(ctx, turn, "")
		return err == nil && d.GetWorkflowExecutionInfo().GetHistoryLength() > 10
	})
	r.clear("hang", weir.Segment, "")
	must(r.t, r.client.GetWorkflow(ctx, turn, "").Get(ctx, nil))
	r.export("scheduled-waited", turn)
	r.set("fail", weir.Decide, "")
	failed := r.trigger(ctx, "crm")
	if err := r.client.GetWorkflow(ctx, failed, "").Get(ctx, nil); workflows.Cause(err) == nil {
		r.t.Fatal("a schedule that fails did not")
	}
	r.export("scheduled-failed", failed)
	r.clear("fail", weir.Decide, "")
	if r.fakes.count("notify crm") != 1 {
		r.t.Fatal("nobody was told")
	}
}

// maintained fires the schedule of the upkeep.
func (r *recorder) maintained() {
	ctx := r.t.Context()
	_, err := workflows.Apply(ctx, r.client, "shop", []workflows.ScheduleSpec{{Source: workflows.MaintenanceSchedule, Cron: "0 3 1 1 *",
		Input: workflows.ScheduledInput{Workspace: "shop", Project: "projects/1", Source: workflows.MaintenanceSchedule}}})
	must(r.t, err)
	id := r.trigger(ctx, workflows.MaintenanceSchedule)
	must(r.t, r.client.GetWorkflow(ctx, id, "").Get(ctx, nil))
	r.export("maintain-done", id)
	if r.fakes.count("upkeep") != 1 {
		r.t.Fatal("the lake was not kept")
	}
}

// published proposes, hears a word that does not count, and one that does; a second
// proposal is rejected, by an officer whom a lost history does not keep from it; a third
// does not count.
func (r *recorder) published() {
	ctx := r.t.Context()
	in := workflows.PolicyInput{Workspace: "shop", Number: 1, Draft: "policy/drafts/1"}
	out, err := workflows.ProposePolicy(ctx, r.client, in)
	if err != nil || out.State != weir.PolicyProposed {
		r.t.Fatalf("%+v, %v", out, err)
	}
	if _, err := workflows.ProposePolicy(ctx, r.client, in); weir.CodeOf(err) != weir.Conflict {
		r.t.Fatalf("proposed twice: %v", err)
	}
	if _, err := workflows.SettlePolicy(ctx, r.client, in, workflows.PolicyWord{Verdict: weir.PolicyApproved, Draft: "denied"}); weir.CodeOf(err) != weir.Denied {
		r.t.Fatalf("a word that does not count: %v", err)
	}
	if _, err := workflows.SettlePolicy(ctx, r.client, in, workflows.PolicyWord{Verdict: "maybe", Draft: "x"}); err == nil {
		r.t.Fatal("a word of no kind was heard")
	}
	out, err = workflows.SettlePolicy(ctx, r.client, in, workflows.PolicyWord{Verdict: weir.PolicyApproved, Draft: "policy/drafts/2"})
	if err != nil || out.State != weir.PolicyApproved {
		r.t.Fatalf("%+v, %v", out, err)
	}
	r.export("policy-approved", workflows.PolicyID("shop", 1))
	in.Number = 2 // nobody started it: it is taken up from the log
	out, err = workflows.SettlePolicy(ctx, r.client, in, workflows.PolicyWord{Verdict: weir.PolicyRejected, Draft: "policy/drafts/3"})
	if err != nil || out.State != weir.PolicyRejected {
		r.t.Fatalf("%+v, %v", out, err)
	}
	r.export("policy-rejected", workflows.PolicyID("shop", 2))
	in.Number, in.Draft = 3, "denied"
	if _, err := workflows.ProposePolicy(ctx, r.client, in); weir.CodeOf(err) != weir.Denied {
		r.t.Fatalf("a proposal that does not count: %v", err)
	}
	r.export("policy-denied", workflows.PolicyID("shop", 3))
}

// trigger fires the schedule and gives the id of what it started.
func (r *recorder) trigger(ctx context.Context, source string) string {
	r.t.Helper()
	h := r.client.ScheduleClient().GetHandle(ctx, workflows.ScheduleID("shop", source))
	before, err := h.Describe(ctx)
	must(r.t, err)
	must(r.t, h.Trigger(ctx, client.ScheduleTriggerOptions{}))
	id, wrong := "", error(nil)
	eventually(r.t, "the schedule fires", func() bool {
		d, err := h.Describe(ctx)
		if wrong = err; err != nil || d.Info.NumActions == before.Info.NumActions {
			return err != nil
		}
		id = d.Info.RecentActions[len(d.Info.RecentActions)-1].StartWorkflowResult.WorkflowID
		return true
	})
	must(r.t, errors.Join(wrong))
	return id
}
