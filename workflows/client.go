package workflows

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
)

// Refreshing is a started refresh.
type Refreshing struct {
	client client.Client
	run    client.WorkflowRun
	input  RefreshInput
}

// StartRefresh starts the refresh of a workspace. Conflict: one is running.
func StartRefresh(ctx context.Context, c client.Client, in RefreshInput) (*Refreshing, error) {
	id := RefreshID(in.Run.Workspace)
	run, err := c.ExecuteWorkflow(ctx, start(id, in.Run, refreshStage), RefreshName, in)
	if err != nil {
		return nil, refused(err, fmt.Sprintf("a refresh of workspace %q is running", in.Run.Workspace))
	}
	return &Refreshing{client: c, run: run, input: in}, nil
}

// Result waits for the end. The snapshot is whole also when the refresh failed.
func (r *Refreshing) Result(ctx context.Context) (Snapshot, error) {
	var out Snapshot
	err := r.run.Get(ctx, &out)
	if err == nil {
		return out, nil
	}
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		var f activities.Fault
		_ = app.Details(&f, &out) // without details the snapshot stays empty
	}
	return out, Cause(err)
}

// Cancel asks the refresh to end; its parts record that they were cancelled.
func (r *Refreshing) Cancel(ctx context.Context) error {
	return unreachable(r.client.CancelWorkflow(ctx, r.run.GetID(), r.run.GetRunID()))
}

// Collecting is a started collect of one source.
type Collecting struct{ run client.WorkflowRun }

// StartCollect collects streams of one source, without the stages that follow.
// Conflict: the source is being collected.
func StartCollect(ctx context.Context, c client.Client, in CollectInput) (*Collecting, error) {
	run, err := c.ExecuteWorkflow(ctx, start(CollectID(in.Run.Workspace, in.Source), in.Run, string(weir.Collect)), CollectName, in)
	if err != nil {
		return nil, refused(err, fmt.Sprintf("source %q is being collected", in.Source))
	}
	return &Collecting{run}, nil
}

// Result waits for the end.
func (r *Collecting) Result(ctx context.Context) (CollectResult, error) {
	var out CollectResult
	if err := r.run.Get(ctx, &out); err != nil {
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		return out, Cause(err)
	}
	return out, nil
}

// PauseStream pauses a stream, at once if it is being collected, else from the
// next time on. Pausing twice changes nothing.
func PauseStream(ctx context.Context, c client.Client, run weir.Run, source, stream string) error {
	id := StreamID(run.Workspace, source, stream)
	o := start(id, run, string(weir.Collect))
	o.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
	_, err := c.SignalWithStartWorkflow(ctx, id, StreamSignal, StreamCommand{Pause: true}, o, CollectStreamName,
		StreamInput{Run: run, Source: source, Stream: stream, Held: true})
	return unreachable(err)
}

// ResumeStream lets a paused stream go on, now: it collects at once, following
// command.Run if it has not begun or if the project has changed since it has.
// NotFound: the stream is not paused.
func ResumeStream(ctx context.Context, c client.Client, source, stream string, command StreamCommand) error {
	if command.Run == nil {
		return weir.Errorf(weir.Internal, "a stream is resumed without a run to follow")
	}
	command.Pause = false
	err := c.SignalWorkflow(ctx, StreamID(command.Run.Workspace, source, stream), "", StreamSignal, command)
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return weir.Errorf(weir.NotFound, "stream %s/%s is not paused", source, stream).Then("weir sync ls shows what is")
	}
	return unreachable(err)
}

// StreamReport tells how a stream that is being collected or is paused stands.
// NotFound: neither.
func StreamReport(ctx context.Context, c client.Client, workspace, source, stream string) (Report, error) {
	var r Report
	id := StreamID(workspace, source, stream)
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) || err == nil && d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return r, weir.Errorf(weir.NotFound, "stream %s/%s is idle", source, stream)
	}
	if err != nil {
		return r, unreachable(err)
	}
	v, err := c.QueryWorkflow(ctx, id, "", StatusQuery)
	if err != nil {
		return r, unreachable(err)
	}
	return r, v.Get(&r)
}

func start(id string, run weir.Run, stage string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                                       id,
		TaskQueue:                                ControlQueue(run.Workspace),
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		TypedSearchAttributes:                    attributes(run.Workspace, stage, run.ID),
	}
}

// refused tells an id in use, the lock, from other errors.
func refused(err error, what string) error {
	var running *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &running) {
		return weir.Errorf(weir.Conflict, "%s", what).Then("wait until it ends; weir status shows it")
	}
	return unreachable(err)
}

func unreachable(err error) error {
	if err == nil {
		return nil
	}
	var own *weir.Error
	if errors.As(err, &own) {
		return err
	}
	code := weir.Unavailable
	var invalid *serviceerror.InvalidArgument
	var denied *serviceerror.PermissionDenied
	switch {
	case errors.As(err, &invalid):
		code = weir.Internal
	case errors.As(err, &denied):
		code = weir.Denied
	}
	return weir.Errorf(code, "temporal: %w", err)
}
