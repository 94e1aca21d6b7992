package workflows

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
)

// fixtures are histories that a real server recorded (deploy/embedded,
// TestRecordHistories).
func fixtures(t *testing.T) map[string]*historypb.History {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "replay", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*historypb.History{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		h := &historypb.History{}
		if err := (temporalproto.CustomJSONUnmarshalOptions{}).Unmarshal(b, h); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		out[strings.TrimSuffix(filepath.Base(f), ".json")] = h
	}
	return out
}

func typeOf(h *historypb.History) string {
	return h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().GetName()
}

// TestReplay is invariant 9.
func TestReplay(t *testing.T) {
	for name, h := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			replayer := worker.NewWorkflowReplayer()
			Register(replayer)
			if err := replayer.ReplayWorkflowHistory(quiet{}, h); err != nil {
				t.Error(err)
			}
		})
	}
}

// names is a registry that only notes what is registered.
type names []string

func (n *names) RegisterWorkflow(any) { panic("a workflow without a stable name") }

func (n *names) RegisterWorkflowWithOptions(_ any, o workflow.RegisterOptions) {
	*n = append(*n, o.Name)
}

func (n *names) RegisterDynamicWorkflow(any, workflow.DynamicRegisterOptions) {
	panic("a workflow without a stable name")
}

func TestEveryWorkflowHasAFixture(t *testing.T) {
	seen := map[string]bool{}
	for _, h := range fixtures(t) {
		seen[typeOf(h)] = true
	}
	var all names
	Register(&all)
	if len(all) < 10 {
		t.Fatalf("registered are only %v", all)
	}
	for _, name := range all {
		if !seen[name] {
			t.Errorf("no history of %s is in testdata/replay: record one (deploy/embedded, TestRecordHistories)", name)
		}
	}
}

// TestReplayNoticesAChange shows that TestReplay can fail: a stage that commits
// without running diverges from what was recorded.
func TestReplayNoticesAChange(t *testing.T) {
	h, ok := fixtures(t)["conform-done"]
	if !ok {
		t.Fatal("there is no fixture conform-done")
	}
	replayer := worker.NewWorkflowReplayer()
	replayer.RegisterWorkflowWithOptions(func(ctx workflow.Context, in StageInput) (Report, error) {
		_, err := commit(ctx, in.Run.Workspace, activities.CommitInput{Stage: weir.Conform, Manifest: "m"})
		return Report{}, err
	}, workflow.RegisterOptions{Name: ConformName})
	if err := replayer.ReplayWorkflowHistory(quiet{}, h); err == nil {
		t.Error("a changed workflow replays")
	}
}
