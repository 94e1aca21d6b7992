package workflows

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
)

// ProposePolicy starts a publication and waits until the proposal is in the log.
// Conflict: somebody proposes the same number.
func ProposePolicy(ctx context.Context, c client.Client, in PolicyInput) (PolicyReport, error) {
	return sayPolicy(ctx, c, in, PolicyWord{}, enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL)
}

// SettlePolicy says an officer's word to a proposal. A publication that Temporal no longer
// knows is taken up again from in.Draft: what is in the log is not recorded twice.
func SettlePolicy(ctx context.Context, c client.Client, in PolicyInput, w PolicyWord) (PolicyReport, error) {
	return sayPolicy(ctx, c, in, w, enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING)
}

func sayPolicy(ctx context.Context, c client.Client, in PolicyInput, w PolicyWord, taken enumspb.WorkflowIdConflictPolicy) (PolicyReport, error) {
	var out PolicyReport
	o := start(PolicyID(in.Workspace, in.Number), weir.Run{Workspace: in.Workspace}, policyStage)
	o.WorkflowIDConflictPolicy = taken
	o.WorkflowExecutionErrorWhenAlreadyStarted = taken == enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL
	handle, err := c.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: c.NewWithStartWorkflowOperation(o, PublishPolicyName, in),
		UpdateOptions:          client.UpdateWorkflowOptions{UpdateName: PolicyUpdate, Args: []any{w}, WaitForStage: client.WorkflowUpdateStageCompleted},
	})
	if err != nil {
		return out, refused(err, fmt.Sprintf("revision %d is being published", in.Number))
	}
	if err := handle.Get(ctx, &out); err != nil {
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		return out, Cause(err)
	}
	return out, nil
}
