package workflows

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
)

// fakes stands for the stages; it notes what it was asked for.
type fakes struct {
	mu        sync.Mutex
	calls     []string           // "plan conform", "run collect crm/contacts", …
	failing   map[string][]error // by call: what to answer, one after the other
	unchanged bool
	blocked   map[string]bool // runs that wait for their cancellation, once
	notices   []activities.Notice
}

func (f *fakes) answer(call string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call)
	if errs := f.failing[call]; len(errs) > 0 {
		f.failing[call] = errs[1:]
		return errs[0]
	}
	return nil
}

// times counts the calls with a prefix.
func (f *fakes) times(prefix string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

func (f *fakes) index(call string) int {
	for i, c := range f.calls {
		if c == call {
			return i
		}
	}
	return -1
}

func (f *fakes) Rewind(_ context.Context, run weir.Run, part string, drop bool) error {
	if drop {
		return f.answer("reset " + part + " " + string(run.ID))
	}
	return f.answer("backfill " + part + " " + string(run.ID))
}

func (f *fakes) RecordPolicy(_ context.Context, draft string) error {
	return f.answer("policy " + draft)
}

func (f *fakes) Notify(_ context.Context, n activities.Notice) error {
	f.mu.Lock()
	f.notices = append(f.notices, n)
	f.mu.Unlock()
	return f.answer("notify " + n.Schedule)
}

type fake struct {
	*fakes
	stage weir.Stage
}

func (s fake) name(verb, part string) string {
	return strings.TrimSpace(verb + " " + string(s.stage) + " " + part)
}

func (s fake) Plan(_ context.Context, run weir.Run, part string) (weir.StagePlan, error) {
	return weir.StagePlan{Spec: string(run.ID) + "|" + part, Unchanged: s.unchanged}, s.answer(s.name("plan", part))
}

func (s fake) Run(ctx context.Context, spec string, _ func(weir.Progress)) (string, error) {
	_, part, _ := strings.Cut(spec, "|")
	call := s.name("run", part)
	s.mu.Lock()
	blocked := s.blocked[call]
	delete(s.blocked, call)
	s.mu.Unlock()
	err := s.answer(call)
	if blocked {
		<-ctx.Done()
		return "", ctx.Err()
	}
	return spec, err
}

func (s fake) Commit(_ context.Context, manifest string) (weir.StageRun, error) {
	id, part, _ := strings.Cut(manifest, "|")
	return weir.StageRun{RunID: weir.RunID(id), Stage: s.stage, Part: part, Status: "done", RowsIn: 2, RowsOut: 1}, s.answer(s.name("commit", part))
}

func (s fake) Keep(_ context.Context, run weir.Run, part string) (weir.StageRun, error) {
	return weir.StageRun{RunID: run.ID, Stage: s.stage, Part: part, Status: "unchanged"}, s.answer(s.name("keep", part))
}

func (s fake) Fail(_ context.Context, _ weir.Run, part string, cause string) error {
	return s.answer(s.name("fail", part) + ": " + cause)
}

// environment is a test server that knows all workflows, and the fakes.
func environment(t *testing.T) (*testsuite.TestWorkflowEnvironment, *fakes) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestWorkflowEnvironment()
	f := &fakes{failing: map[string][]error{}, blocked: map[string]bool{}}
	log := slog.New(slog.DiscardHandler)
	of := map[weir.Stage]activities.Stage{}
	for _, s := range weir.Stages() {
		of[s] = fake{f, s}
	}
	Register(env)
	activities.Register(env, &activities.Stages{Of: of, Log: log}, &activities.Streams{Rewinder: f, Log: log}, &activities.Notices{Notifier: f, Log: log}, &activities.Upkeep{}, &activities.Policies{Recorder: f, Log: log})
	env.SetTestTimeout(30 * time.Second)
	return env, f
}

type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

var dawn = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

func aRun() weir.Run {
	return weir.Run{Workspace: "shop", ID: "r1", Now: dawn, Project: "projects/1"}
}

func aRefresh() RefreshInput {
	return RefreshInput{Run: aRun(), Parts: RefreshPlan{
		Sources: []SourcePlan{
			{Name: "crm", Streams: []StreamRequest{{Name: "contacts"}}},
			{Name: "shop", Streams: []StreamRequest{{Name: "customers"}, {Name: "orders"}}},
		},
		Destinations: []DestinationPlan{{Name: "ads", Activations: []string{"lapsed"}}, {Name: "newsletter", Activations: []string{"vip"}}},
	}}
}

// part finds a report.
func (s Snapshot) part(t *testing.T, stage weir.Stage, part string) Report {
	t.Helper()
	for _, p := range s.Parts {
		if p.Stage == stage && p.Part == part {
			return p
		}
	}
	t.Fatalf("no report of %s %s in %+v", stage, part, s.Parts)
	return Report{}
}
