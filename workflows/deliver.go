package workflows

import (
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
)

// activate starts one child per destination, all at once, and waits for them up
// to DeliveryWait: whoever hangs is left behind, still delivering, and delays
// neither another destination nor the next refresh. The next refresh finds the
// id taken and reports the destination as busy; what it would have sent is in
// the difference of the one after.
func (r *refresh) activate(ctx workflow.Context) error {
	open := 0
	for i := range r.Parts {
		if r.Parts[i].Stage != weir.Activate {
			continue
		}
		open++
		workflow.Go(ctx, func(ctx workflow.Context) {
			r.destination(ctx, &r.Parts[i])
			open--
		})
	}
	if open == 0 {
		return nil
	}
	wait := r.in.DeliveryWait
	if wait <= 0 {
		wait = defaultDeliveryWait
	}
	all, err := workflow.AwaitWithTimeout(ctx, wait, func() bool { return open == 0 })
	if err != nil {
		// Cancelled: the children were told, wait until they have recorded it.
		free, cancel := workflow.NewDisconnectedContext(ctx)
		defer cancel()
		_, _ = workflow.AwaitWithTimeout(free, shortTimeout, func() bool { return open == 0 })
		return err
	}
	for i := range r.Parts {
		if p := &r.Parts[i]; !all && p.Stage == weir.Activate && p.Outcome == Running {
			p.Outcome = Delivering
		}
	}
	return nil
}

func (r *refresh) destination(ctx workflow.Context, p *Report) {
	p.Outcome, p.StartedAt = Running, workflow.Now(ctx)
	name := p.Part
	ctx = withChild(ctx, ActivateID(r.in.Run.Workspace, name), r.in.Run, weir.Activate, enumspb.PARENT_CLOSE_POLICY_ABANDON)
	var out Report
	err := workflow.ExecuteChildWorkflow(ctx, ActivateName, StageInput{Run: r.in.Run, Part: name}).Get(ctx, &out)
	if err == nil {
		*p = out
		return
	}
	p.EndedAt = workflow.Now(ctx)
	miss(p, err)
}
