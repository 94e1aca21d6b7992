package workflows

import (
	"context"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
)

// Probe is what a Temporal server tells of itself.
type Probe struct {
	Version string
	Skew    time.Duration // the server's clock minus this machine's
	Took    time.Duration // of a workflow's start
}

// probeName is of a workflow that no worker knows: it is started and terminated.
const probeName = "weir.probe"

// ProbeServer asks for the version, and starts a workflow and ends it: the way that a
// refresh goes. The id is the workflow's.
func ProbeServer(ctx context.Context, c client.Client, workspace, id string) (Probe, error) {
	info, err := c.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	if err != nil {
		return Probe{}, unreachable(err)
	}
	out := Probe{Version: info.GetServerVersion()}
	before := time.Now()
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: "weir-doctor-" + workspace, WorkflowExecutionTimeout: time.Minute,
		TypedSearchAttributes: attributes(workspace, "doctor", "")}, probeName)
	if err != nil {
		return out, unreachable(err)
	}
	after := time.Now()
	d, err := c.DescribeWorkflowExecution(ctx, run.GetID(), run.GetRunID())
	if err != nil {
		return out, unreachable(err)
	}
	started := d.GetWorkflowExecutionInfo().GetStartTime().AsTime()
	out.Took = after.Sub(before)
	switch { // within the call it can't be told
	case started.After(after):
		out.Skew = started.Sub(after)
	case started.Before(before):
		out.Skew = started.Sub(before)
	}
	return out, unreachable(c.TerminateWorkflow(ctx, run.GetID(), run.GetRunID(), "weir doctor is done"))
}

// Pollers counts who polls each kind of queue of a workspace: living workers, and those
// that ended within the last minute.
func Pollers(ctx context.Context, c client.Client, workspace string) (map[string]int, error) {
	out := map[string]int{}
	for kind, q := range map[string]struct {
		name string
		of   enumspb.TaskQueueType
	}{
		controlKind:  {ControlQueue(workspace), enumspb.TASK_QUEUE_TYPE_WORKFLOW},
		ingressKind:  {IngressQueue(workspace), enumspb.TASK_QUEUE_TYPE_ACTIVITY},
		pipelineKind: {PipelineQueue(workspace), enumspb.TASK_QUEUE_TYPE_ACTIVITY},
		egressKind:   {EgressQueue(workspace), enumspb.TASK_QUEUE_TYPE_ACTIVITY},
	} {
		d, err := c.DescribeTaskQueue(ctx, q.name, q.of)
		if err != nil {
			return nil, weir.Errorf(weir.Unavailable, "temporal: look at the queue of %s: %w", kind, err)
		}
		out[kind] = 0
		for _, p := range d.GetPollers() {
			if time.Since(p.GetLastAccessTime().AsTime()) < pollTime {
				out[kind]++
			}
		}
	}
	return out, nil
}
