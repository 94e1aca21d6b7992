package workflows

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
)

// mostReleased bounds how many workflows Release looks at: a workspace has few
// that do something at once.
const mostReleased = 1000

// Release gives back the steps of a workspace whose worker is dead, so that they
// are done again at once and not when their heartbeat is missed. Dead judges a
// worker's identity; it must be sure, since a step that is given back runs a second
// time beside the first. It returns how many steps it gave back; what it does not
// find the heartbeat finds.
func Release(ctx context.Context, c client.Client, namespace, workspace string, dead func(identity string) bool) (int, error) {
	list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, PageSize: mostReleased,
		Query: fmt.Sprintf("%s = '%s' AND ExecutionStatus = 'Running'", WorkspaceAttribute.GetName(), workspace)})
	if err != nil {
		return 0, unreachable(err)
	}
	n := 0
	for _, e := range list.GetExecutions() {
		id, run := e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId()
		d, err := c.DescribeWorkflowExecution(ctx, id, run)
		if gone(err) {
			continue
		}
		if err != nil {
			return n, unreachable(err)
		}
		for _, a := range d.GetPendingActivities() {
			if a.GetState() != enumspb.PENDING_ACTIVITY_STATE_STARTED || !dead(a.GetLastWorkerIdentity()) {
				continue
			}
			err := c.CompleteActivityByID(ctx, namespace, id, run, a.GetActivityId(), nil, killed)
			if err != nil && !gone(err) {
				return n, unreachable(err)
			}
			n++
		}
	}
	return n, nil
}

// killed is how the attempt of a dead worker ends.
var killed = temporal.NewApplicationErrorWithOptions("the worker was killed", string(weir.Unavailable),
	temporal.ApplicationErrorOptions{NextRetryDelay: time.Second, Details: []any{activities.Fault{Next: "the step is repeated"}}})

func gone(err error) bool {
	var missing *serviceerror.NotFound
	return errors.As(err, &missing)
}
