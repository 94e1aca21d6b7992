package workflows

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
)

func aStream() StreamInput { return StreamInput{Run: aRun(), Source: "crm", Stream: "contacts"} }

func laterRun(project string) *weir.Run {
	return &weir.Run{Workspace: "shop", ID: "r2", Now: dawn.Add(24 * time.Hour), Project: project}
}

// collected runs one stream and gives its report.
func collected(t *testing.T, env *testsuite.TestWorkflowEnvironment, in StreamInput) (Report, error) {
	t.Helper()
	env.ExecuteWorkflow(CollectStreamName, in)
	if !env.IsWorkflowCompleted() {
		t.Fatal("the stream did not end")
	}
	var r Report
	err := env.GetWorkflowError()
	if err == nil {
		err = env.GetWorkflowResult(&r)
	}
	return r, err
}

func same(t *testing.T, f *fakes, want ...string) {
	t.Helper()
	if !slices.Equal(f.calls, want) {
		t.Errorf("asked for\n%q, want\n%q", f.calls, want)
	}
}

// onRun calls f when the run step of collect is started for the first time.
func onRun(env *testsuite.TestWorkflowEnvironment, f func()) {
	var once sync.Once
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, args converter.EncodedValues) {
		var in activities.RunInput
		if info.ActivityType.Name == activities.RunName && args.Get(&in) == nil && strings.HasSuffix(in.Spec, "|crm/contacts") {
			once.Do(f)
		}
	})
}

// pauseInRun pauses the stream when its first run step has begun, and resumes
// it an hour later.
func pauseInRun(env *testsuite.TestWorkflowEnvironment, f *fakes, resume StreamCommand) {
	f.blocked["run collect crm/contacts"] = true
	onRun(env, func() {
		env.SignalWorkflow(StreamSignal, StreamCommand{Pause: true})
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(StreamSignal, resume) }, time.Hour)
	})
}

func TestPausedStreamGoesOnWithItsPlan(t *testing.T) {
	env, f := environment(t)
	pauseInRun(env, f, StreamCommand{Run: laterRun("projects/1")})
	r, err := collected(t, env, aStream())
	if err != nil || r.Outcome != Done {
		t.Errorf("got %+v, %v", r, err)
	}
	same(t, f, "plan collect crm/contacts", "run collect crm/contacts", "run collect crm/contacts", "commit collect crm/contacts")
}

func TestEditedStreamIsPlannedAnew(t *testing.T) {
	env, f := environment(t)
	pauseInRun(env, f, StreamCommand{Run: laterRun("projects/2")})
	if r, err := collected(t, env, aStream()); err != nil || r.Outcome != Done {
		t.Errorf("got %+v, %v", r, err)
	}
	same(t, f, "plan collect crm/contacts", "run collect crm/contacts", "plan collect crm/contacts", "run collect crm/contacts", "commit collect crm/contacts")
}

func TestHeldStreamWaitsAndThenFollowsTheNewRun(t *testing.T) {
	env, f := environment(t)
	in := aStream()
	in.Held = true
	env.RegisterDelayedCallback(func() {
		v, err := env.QueryWorkflow(StatusQuery)
		if err != nil {
			t.Fatal(err)
		}
		var r Report
		if err := v.Get(&r); err != nil || r.Outcome != Paused || f.times("") != 0 {
			t.Errorf("while paused: %+v, %v, %v", r, err, f.calls)
		}
		env.SignalWorkflow(StreamSignal, StreamCommand{Pause: true}) // again: nothing
	}, 24*time.Hour)
	env.RegisterDelayedCallback(func() {
		env.SignalWorkflow(StreamSignal, StreamCommand{Run: laterRun("projects/2"), Mode: Reset})
	}, 48*time.Hour)
	if r, err := collected(t, env, in); err != nil || r.Outcome != Done {
		t.Errorf("got %+v, %v", r, err)
	}
	same(t, f, "reset crm/contacts r2", "plan collect crm/contacts", "run collect crm/contacts", "commit collect crm/contacts")
}

func TestHeldStreamIsCancelledWithoutATrace(t *testing.T) {
	env, f := environment(t)
	in := aStream()
	in.Held = true
	env.RegisterDelayedCallback(env.CancelWorkflow, time.Hour)
	if _, err := collected(t, env, in); !temporal.IsCanceledError(err) {
		t.Errorf("got %v", err)
	}
	same(t, f)
}

func TestBackfill(t *testing.T) {
	env, f := environment(t)
	in := aStream()
	in.Mode = Backfill
	if _, err := collected(t, env, in); err != nil {
		t.Fatal(err)
	}
	same(t, f, "backfill crm/contacts r1", "plan collect crm/contacts", "run collect crm/contacts", "commit collect crm/contacts")
}

func TestPauseDuringCommitIsKept(t *testing.T) {
	env, f := environment(t)
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == activities.CommitName {
			env.SignalWorkflow(StreamSignal, StreamCommand{Pause: true})
		}
	})
	_, err := collected(t, env, aStream())
	var anew *workflow.ContinueAsNewError
	if !errors.As(err, &anew) {
		t.Errorf("got %v", err)
	}
	if f.times("commit") != 1 {
		t.Errorf("after %v", f.calls)
	}
}

func TestCollectLeavesAPausedStreamBehind(t *testing.T) {
	env, f := environment(t)
	f.blocked["run collect crm/contacts"] = true
	id := StreamID("shop", "crm", "contacts")
	onRun(env, func() {
		if err := env.SignalWorkflowByID(id, StreamSignal, StreamCommand{Pause: true}); err != nil {
			t.Error(err)
		}
		env.RegisterDelayedCallback(func() {
			if !env.IsWorkflowCompleted() {
				t.Error("the collect still waits for a paused stream")
			}
			if err := env.SignalWorkflowByID(id, StreamSignal, StreamCommand{Run: laterRun("projects/1")}); err != nil {
				t.Error(err)
			}
		}, time.Hour)
	})
	env.ExecuteWorkflow(CollectName, CollectInput{Run: aRun(), Source: "crm", Streams: []StreamRequest{{Name: "contacts"}, {Name: "deals"}}})
	var out CollectResult
	if err := env.GetWorkflowResult(&out); err != nil {
		t.Fatal(err)
	}
	if out.Outcome != Done || out.Streams[0].Outcome != Paused || out.Streams[1].Outcome != Done {
		t.Errorf("got %+v", out)
	}
	if f.times("commit collect crm/contacts") != 1 || f.times("plan collect crm/contacts") != 1 {
		t.Errorf("the stream left behind did not end: %v", f.calls)
	}
}

func TestTakenStreamIsBusy(t *testing.T) {
	env, f := environment(t)
	env.OnWorkflow(CollectStreamName, mock.Anything, mock.Anything).Return(Report{}, serviceerror.NewWorkflowExecutionAlreadyStarted("", "", "other"))
	env.ExecuteWorkflow(CollectName, CollectInput{Run: aRun(), Source: "crm", Streams: []StreamRequest{{Name: "contacts"}}})
	var out CollectResult
	if err := env.GetWorkflowResult(&out); err != nil {
		t.Fatal(err)
	}
	if out.Outcome != Partial || out.Streams[0].Outcome != Busy || f.times("") != 0 {
		t.Errorf("got %+v", out)
	}
}
