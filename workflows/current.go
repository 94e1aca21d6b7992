package workflows

import (
	"context"
	"errors"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
)

// CurrentRefresh finds the refresh of a workspace that is running, started by
// whoever. NotFound: none is. Its run is known once Watch has shown it.
func CurrentRefresh(ctx context.Context, c client.Client, workspace string) (*Refreshing, error) {
	id := RefreshID(workspace)
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) || err == nil && d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return nil, weir.Errorf(weir.NotFound, "no refresh of workspace %q is running", workspace)
	}
	if err != nil {
		return nil, unreachable(err)
	}
	run := c.GetWorkflow(ctx, id, d.GetWorkflowExecutionInfo().GetExecution().GetRunId())
	return &Refreshing{client: c, run: run, input: RefreshInput{Run: weir.Run{Workspace: workspace}}}, nil
}
