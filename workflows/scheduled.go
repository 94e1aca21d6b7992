package workflows

import (
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
)

// ScheduledInput is what a source's schedule starts: the refresh to do, whose
// run is made when it is due.
type ScheduledInput struct {
	Workspace    string        `json:"workspace"`
	Project      string        `json:"project"` // object key
	Source       string        `json:"source"`
	Parts        RefreshPlan   `json:"parts"` // of this source alone, and all destinations
	Stages       []weir.Stage  `json:"stages,omitempty"`
	DeliveryWait time.Duration `json:"delivery_wait,omitempty"`
	// Due is set when the workflow continues as new; else the schedule's time.
	Due time.Time `json:"due,omitzero"`
}

// scheduledTime is set by Temporal on what a schedule starts.
var scheduledTime = temporal.NewSearchAttributeKeyTime("TemporalScheduledStartTime")

// Waits between two attempts to start the refresh while another one runs.
const (
	firstTurn = 2 * time.Second
	lastTurn  = time.Minute
)

// Scheduled does what a source's schedule is for: a refresh whose now is the
// time at which it was due, so that a run made good later equals the run
// missed. While another refresh of the workspace runs it waits for its turn
// (the schedule skips further ones meanwhile). A failure is notified.
func Scheduled(ctx workflow.Context, in ScheduledInput) (Snapshot, error) {
	due := in.Due
	if due.IsZero() {
		due = workflow.Now(ctx)
		if t, ok := workflow.GetTypedSearchAttributes(ctx).GetTime(scheduledTime); ok {
			due = t
		}
	}
	due = due.UTC()
	run := weir.Run{Workspace: in.Workspace, ID: weir.NewRunID(due, in.Source), Now: due, Project: in.Project}
	request := RefreshInput{Run: run, Parts: in.Parts, Stages: in.Stages, DeliveryWait: in.DeliveryWait}
	ctx = withChild(ctx, RefreshID(in.Workspace), run, refreshStage, enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL)
	for pause := firstTurn; ; pause = min(2*pause, lastTurn) {
		var out Snapshot
		err := workflow.ExecuteChildWorkflow(ctx, RefreshName, request).Get(ctx, &out)
		if taken(err) {
			if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
				in.Due = due
				return out, workflow.NewContinueAsNewError(ctx, ScheduledName, in)
			}
			if err := workflow.Sleep(ctx, pause); err != nil {
				return out, err
			}
			continue
		}
		if temporal.IsCanceledError(err) {
			return out, err
		}
		return out, conclude(ctx, in, run, out, err)
	}
}

// conclude notifies of what failed and returns the workflow's error: a
// refresh that was partial because of a failed part is notified, not failed.
func conclude(ctx workflow.Context, in ScheduledInput, run weir.Run, out Snapshot, err error) error {
	n := activities.Notice{Workspace: in.Workspace, Schedule: in.Source, Run: run.ID, Now: run.Now, Status: string(out.Outcome)}
	if err != nil {
		n.Status, n.Problems = string(Failed), []string{activities.Bound(Cause(err).Error())}
	}
	for _, p := range out.Parts {
		if problem := p.Problem(); problem != "" {
			n.Problems = append(n.Problems, activities.Bound(problem))
		}
	}
	if len(n.Problems) > 0 {
		c := withControl(ctx, in.Workspace)
		if sent := workflow.ExecuteActivity(c, activities.NotifyName, n).Get(c, nil); sent != nil {
			workflow.GetLogger(ctx).Error("the notice could not be sent", "schedule", in.Source, "error", sent)
		}
	}
	if err != nil {
		return failure(err)
	}
	return nil
}
