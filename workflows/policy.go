package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
)

// PolicyInput proposes a revision of the policy.
type PolicyInput struct {
	Workspace string `json:"workspace"`
	Number    int64  `json:"number"`
	Draft     string `json:"draft"` // object key of the author's signed entry
}

// PolicyWord is what an officer says to a proposal. Without a verdict it only waits until
// the proposal is recorded.
type PolicyWord struct {
	Verdict string `json:"verdict,omitempty"` // weir.PolicyApproved or weir.PolicyRejected
	Draft   string `json:"draft,omitempty"`   // object key of the officer's signed entry
}

// PolicyReport is how a publication stands.
type PolicyReport struct {
	Number int64  `json:"number"`
	State  string `json:"state"` // "" (not recorded yet), weir.PolicyProposed, …
}

// PolicyUpdate is the name of the update that carries a PolicyWord.
const PolicyUpdate = "weir.policy.word"

// PublishPolicy records a proposal and waits, however long, until somebody else approves
// or rejects it. A word that does not count (the author's own approval, say) is refused,
// and the proposal goes on waiting. Signatures are made before: keys never come here, and
// what the gate follows is the log that the steps write, not this workflow.
func PublishPolicy(ctx workflow.Context, in PolicyInput) (PolicyReport, error) {
	report := PolicyReport{Number: in.Number}
	var broken error
	settling := workflow.NewMutex(ctx)
	record := func(ctx workflow.Context, draft string) error {
		ctx = withControl(ctx, in.Workspace)
		return workflow.ExecuteActivity(ctx, activities.RecordPolicyName, activities.RecordPolicyInput{Workspace: in.Workspace, Draft: draft}).Get(ctx, nil)
	}
	hear := func(ctx workflow.Context, w PolicyWord) (PolicyReport, error) {
		if err := workflow.Await(ctx, func() bool { return report.State != "" || broken != nil }); err != nil {
			return report, err
		}
		if broken != nil || w.Verdict == "" {
			return report, broken
		}
		if err := settling.Lock(ctx); err != nil {
			return report, err
		}
		defer settling.Unlock()
		if report.State != weir.PolicyProposed {
			return report, failure(weir.Errorf(weir.Conflict, "revision %d is %s already", in.Number, report.State).Then("weir policy revisions"))
		}
		if err := record(ctx, w.Draft); err != nil {
			return report, failure(err)
		}
		report.State = w.Verdict
		return report, nil
	}
	known := func(w PolicyWord) error {
		if w.Verdict != "" && (w.Draft == "" || w.Verdict != weir.PolicyApproved && w.Verdict != weir.PolicyRejected) {
			return temporal.NewNonRetryableApplicationError("a word is an approval or a rejection, signed", string(weir.Invalid), nil)
		}
		return nil
	}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, PolicyUpdate, hear, workflow.UpdateHandlerOptions{Validator: known}); err != nil {
		return report, err
	}
	if err := record(ctx, in.Draft); err != nil {
		broken = failure(err)
	} else {
		report.State = weir.PolicyProposed
	}
	if err := workflow.Await(ctx, func() bool {
		return (broken != nil || report.State != weir.PolicyProposed) && workflow.AllHandlersFinished(ctx)
	}); err != nil {
		return report, err
	}
	return report, broken
}
