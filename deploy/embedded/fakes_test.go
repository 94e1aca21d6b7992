package embedded

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
	"github.com/weir-cdp/weir/workflows"
)

// fakeStages stands for all seven stages under their production names. What a
// part does is said by files in dir, so that a test can tell another process:
// `hang <stage> <part>` lets its run wait, `fail <stage> <part>` lets it fail,
// `unchanged <stage> <part>` has nothing to do.
type fakeStages struct {
	dir string

	mu    sync.Mutex
	calls []string // "run decide", "notify crm", …
}

func (f *fakeStages) work() workflows.Work {
	stages := map[weir.Stage]activities.Stage{}
	for _, s := range weir.Stages() {
		stages[s] = fakeStage{f, s}
	}
	return workflows.Work{Workspace: "shop", Stages: stages, Rewinder: f, Notifier: f, Upkeep: f, Policies: f, Log: testLog()}
}

func (f *fakeStages) Upkeep(context.Context, string, time.Time) error {
	f.note("upkeep")
	return nil
}

func (f *fakeStages) note(call string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call)
}

func (f *fakeStages) count(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if c == call {
			n++
		}
	}
	return n
}

func (f *fakeStages) file(verb string, stage weir.Stage, part string) string {
	return filepath.Join(f.dir, strings.ReplaceAll(verb+" "+string(stage)+" "+part, "/", "."))
}

func (f *fakeStages) set(verb string, stage weir.Stage, part string) error {
	return os.WriteFile(f.file(verb, stage, part), nil, 0o600)
}

func (f *fakeStages) clear(verb string, stage weir.Stage, part string) error {
	return os.Remove(f.file(verb, stage, part))
}

func (f *fakeStages) is(verb string, stage weir.Stage, part string) bool {
	_, err := os.Stat(f.file(verb, stage, part))
	return err == nil
}

func (f *fakeStages) Rewind(_ context.Context, _ weir.Run, part string, drop bool) error {
	verb := "backfill "
	if drop {
		verb = "reset "
	}
	f.note(verb + part)
	return nil
}

// RecordPolicy refuses drafts that say that they do not count.
func (f *fakeStages) RecordPolicy(_ context.Context, draft string) error {
	f.note("policy " + draft)
	if strings.Contains(draft, "denied") {
		return weir.Errorf(weir.Denied, "it does not count").Then("let somebody else approve it")
	}
	return nil
}

func (f *fakeStages) Notify(_ context.Context, n activities.Notice) error {
	f.note("notify " + n.Schedule)
	return nil
}

type fakeStage struct {
	*fakeStages
	stage weir.Stage
}

func (s fakeStage) call(verb, part string) string {
	return strings.TrimSpace(verb + " " + string(s.stage) + " " + part)
}

func (s fakeStage) Plan(_ context.Context, run weir.Run, part string) (weir.StagePlan, error) {
	s.note(s.call("plan", part))
	return weir.StagePlan{Spec: string(run.ID) + "|" + part, Unchanged: s.is("unchanged", s.stage, part)}, nil
}

func (s fakeStage) Run(ctx context.Context, spec string, progress func(weir.Progress)) (string, error) {
	_, part, _ := strings.Cut(spec, "|")
	s.note(s.call("run", part))
	progress(weir.Progress{Done: 1, Total: 2, Unit: "rows"})
	if s.is("fail", s.stage, part) {
		return "", weir.Errorf(weir.Invalid, "told to fail").At(part).Then("tell otherwise")
	}
	for s.is("hang", s.stage, part) {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return spec, nil
}

func (s fakeStage) Commit(_ context.Context, manifest string) (weir.StageRun, error) {
	id, part, _ := strings.Cut(manifest, "|")
	s.note(s.call("commit", part))
	return weir.StageRun{RunID: weir.RunID(id), Stage: s.stage, Part: part, Status: "done", RowsIn: 2, RowsOut: 2}, nil
}

func (s fakeStage) Keep(_ context.Context, run weir.Run, part string) (weir.StageRun, error) {
	s.note(s.call("keep", part))
	return weir.StageRun{RunID: run.ID, Stage: s.stage, Part: part, Status: "unchanged"}, nil
}

func (s fakeStage) Fail(_ context.Context, _ weir.Run, part string, _ string) error {
	s.note(s.call("fail", part))
	return nil
}

// sleeper is a workflow that is there.
func sleeper(ctx workflow.Context) error { return workflow.Sleep(ctx, 1000*time.Hour) }

// request is a refresh of two sources with three streams and two destinations.
func request(suffix string) workflows.RefreshInput {
	now := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	return workflows.RefreshInput{
		Run: weir.Run{Workspace: "shop", ID: weir.NewRunID(now, suffix), Now: now, Project: "projects/1"},
		Parts: workflows.RefreshPlan{
			Sources: []workflows.SourcePlan{
				{Name: "crm", Streams: []workflows.StreamRequest{{Name: "contacts"}}},
				{Name: "shop", Streams: []workflows.StreamRequest{{Name: "customers"}, {Name: "orders"}}},
			},
			Destinations: []workflows.DestinationPlan{
				{Name: "ads", Activations: []string{"lapsed"}}, {Name: "newsletter", Activations: []string{"vip"}},
			},
		},
	}
}
