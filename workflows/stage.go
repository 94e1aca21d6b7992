package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
)

// StageInput is what a stage's workflow is told.
type StageInput struct {
	Run  weir.Run `json:"run"`
	Part string   `json:"part,omitempty"` // a destination of activate
}

// The steps as typed calls: the registered name and the payload types in one
// place each.

func plan(ctx workflow.Context, in activities.PlanInput) (out weir.StagePlan, err error) {
	ctx = withStep(ctx, in.Run.Workspace, in.Stage)
	return out, workflow.ExecuteActivity(ctx, activities.PlanName, in).Get(ctx, &out)
}

func run(ctx workflow.Context, in activities.RunInput) (manifest string, err error) {
	return manifest, workflow.ExecuteActivity(ctx, activities.RunName, in).Get(ctx, &manifest)
}

func commit(ctx workflow.Context, workspace string, in activities.CommitInput) (out weir.StageRun, err error) {
	ctx = withControl(ctx, workspace)
	return out, workflow.ExecuteActivity(ctx, activities.CommitName, in).Get(ctx, &out)
}

func keep(ctx workflow.Context, in activities.KeepInput) (out weir.StageRun, err error) {
	ctx = withControl(ctx, in.Run.Workspace)
	return out, workflow.ExecuteActivity(ctx, activities.KeepName, in).Get(ctx, &out)
}

// perform is the way of every stage but collect: plan, then keep, or run and
// commit. A failure is recorded in ops.runs, also when it is a cancellation.
func perform(ctx workflow.Context, stage weir.Stage, in StageInput) (Report, error) {
	r := Report{Stage: stage, Part: in.Part, Outcome: Running, Step: "plan", StartedAt: workflow.Now(ctx)}
	if err := workflow.SetQueryHandler(ctx, StatusQuery, func() (Report, error) { return r, nil }); err != nil {
		return r, err
	}
	err := func() error {
		p, err := plan(ctx, activities.PlanInput{Stage: stage, Run: in.Run, Part: in.Part})
		if err != nil {
			return err
		}
		var out weir.StageRun
		if p.Unchanged {
			out, err = keep(ctx, activities.KeepInput{Stage: stage, Run: in.Run, Part: in.Part})
		} else {
			r.Step = "run"
			var manifest string
			if manifest, err = run(withStep(ctx, in.Run.Workspace, stage), activities.RunInput{Stage: stage, Spec: p.Spec, Attended: in.Run.Attended}); err != nil {
				return err
			}
			r.Step = "commit"
			out, err = commit(ctx, in.Run.Workspace, activities.CommitInput{Stage: stage, Manifest: manifest, Attended: in.Run.Attended})
		}
		if err == nil {
			r.finish(out)
		}
		return err
	}()
	r.EndedAt = workflow.Now(ctx)
	if err != nil {
		return r, settle(ctx, &r, in.Run, err)
	}
	return r, nil
}

// settle puts a failure into the report and into ops.runs, and gives the error
// with which the workflow ends. It works after a cancellation too.
func settle(ctx workflow.Context, r *Report, run weir.Run, err error) error {
	e := Cause(err)
	r.fail(e)
	if temporal.IsCanceledError(err) {
		r.Outcome = Cancelled
	}
	free, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	free = withRecord(free, run.Workspace)
	in := activities.FailInput{Stage: r.Stage, Run: run, Part: r.Part, Cause: activities.Bound(e.Error())}
	if recorded := workflow.ExecuteActivity(free, activities.FailName, in).Get(free, nil); recorded != nil {
		// The first failure is the one to tell; this one would hide it.
		workflow.GetLogger(ctx).Error("the failure could not be recorded", "stage", r.Stage, "part", r.Part, "error", recorded)
	}
	return failure(err)
}
