package workflows

import (
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
)

// Bounds of a step's duration. They are far above what is normal: a dead worker
// is noticed by its heartbeats, not by these.
const (
	runTimeout   = 24 * time.Hour
	shortTimeout = 2 * time.Hour
)

// retry waits 1, 2, 4, … 30 s. How often depends on the error's code, which the
// activity knows (activities/errors.go); the maximum here only ends a step
// that kills its worker each time.
var retry = &temporal.RetryPolicy{
	InitialInterval:    time.Second,
	BackoffCoefficient: 2,
	MaximumInterval:    30 * time.Second,
	MaximumAttempts:    25,
}

// withStep gives the options of a plan or run step, on its stage's queue.
func withStep(ctx workflow.Context, workspace string, stage weir.Stage) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           queueOf(workspace, stage),
		StartToCloseTimeout: runTimeout,
		HeartbeatTimeout:    activities.HeartbeatTimeout,
		RetryPolicy:         retry,
	})
}

// withCollectRun is withStep for a run that can be paused: it is not started
// again before the cancelled one has ended.
func withCollectRun(ctx workflow.Context, workspace string) workflow.Context {
	ctx = withStep(ctx, workspace, weir.Collect)
	o := workflow.GetActivityOptions(ctx)
	o.WaitForCancellation = true
	return workflow.WithActivityOptions(ctx, o)
}

// withControl gives the options of the short steps.
func withControl(ctx workflow.Context, workspace string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           ControlQueue(workspace),
		StartToCloseTimeout: shortTimeout,
		HeartbeatTimeout:    activities.HeartbeatTimeout,
		RetryPolicy:         retry,
	})
}

// withRecord is withControl for recording a failure. It is tried less often: what
// cannot be recorded is mostly what failed too, the store, and somebody waits to be
// told.
func withRecord(ctx workflow.Context, workspace string) workflow.Context {
	ctx = withControl(ctx, workspace)
	o := workflow.GetActivityOptions(ctx)
	few := *retry
	few.MaximumAttempts = 4
	o.RetryPolicy = &few
	return workflow.WithActivityOptions(ctx, o)
}

// withChild gives a child the id that is its lock. A cancelled parent waits
// until its children have recorded that they were cancelled.
func withChild(ctx workflow.Context, id string, run weir.Run, stage weir.Stage, close enumspb.ParentClosePolicy) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            id,
		TaskQueue:             ControlQueue(run.Workspace),
		WaitForCancellation:   true,
		ParentClosePolicy:     close,
		TypedSearchAttributes: attributes(run.Workspace, string(stage), run.ID),
	})
}
