package workflows

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/weir-cdp/weir"
)

// pollEvery is how often Watch asks.
const pollEvery = 500 * time.Millisecond

// Watch calls show with each new snapshot of the refresh until it ends, and
// returns what Result returns. A snapshot that could not be had is left out:
// what is shown is not what counts.
func (r *Refreshing) Watch(ctx context.Context, show func(Snapshot)) (Snapshot, error) {
	type end struct {
		Snapshot
		err error
	}
	ended := make(chan end, 1)
	go func() {
		s, err := r.Result(ctx)
		ended <- end{s, err}
	}()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case e := <-ended:
			if len(e.Parts) > 0 {
				show(e.Snapshot)
			}
			return e.Snapshot, e.err
		case <-tick.C:
			if s, err := Status(ctx, r.client, r.input.Run.Workspace); err == nil && (r.input.Run.ID == "" || s.Run.ID == r.input.Run.ID) {
				show(s)
			}
		}
	}
}

// Status tells how the current or last refresh of a workspace stands, with the
// progress of the steps that run.
func Status(ctx context.Context, c client.Client, workspace string) (Snapshot, error) {
	var s Snapshot
	v, err := c.QueryWorkflow(ctx, RefreshID(workspace), "", StatusQuery)
	if err != nil {
		var missing *serviceerror.NotFound
		if errors.As(err, &missing) {
			return s, weir.Errorf(weir.NotFound, "workspace %q was never refreshed", workspace).Then("weir run")
		}
		return s, unreachable(err)
	}
	if err := v.Get(&s); err != nil {
		return s, weir.Errorf(weir.Internal, "the status of the refresh: %w", err)
	}
	for i := range s.Parts {
		if p := &s.Parts[i]; p.Outcome == Running {
			p.Progress, p.Trouble = stands(ctx, c, workflowOf(workspace, *p))
		}
	}
	return s, nil
}

// workflowOf is the id of the workflow behind a report.
func workflowOf(workspace string, r Report) string {
	if r.Part == "" {
		return StageID(workspace, r.Stage)
	}
	return workspace + "/" + string(r.Stage) + "/" + r.Part // CollectID + stream, ActivateID
}

// stands reads the last heartbeat of a workflow's running activity, nil if there
// is none, and why its last try failed.
func stands(ctx context.Context, c client.Client, id string) (last *weir.Progress, trouble string) {
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		return nil, ""
	}
	for _, a := range d.GetPendingActivities() {
		if f := a.GetLastFailure(); f.GetApplicationFailureInfo() != nil && trouble == "" {
			trouble = Cause(temporal.GetDefaultFailureConverter().FailureToError(f)).Error()
		}
		var p weir.Progress
		if last == nil && a.GetHeartbeatDetails() != nil && converter.GetDefaultDataConverter().FromPayloads(a.GetHeartbeatDetails(), &p) == nil {
			last = &p
		}
	}
	return last, trouble
}
