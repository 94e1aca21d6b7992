package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir/activities"
)

// MaintenanceSchedule stands for a source's name in the schedule of the lake's
// upkeep; no source can be called so.
const MaintenanceSchedule = "weir__maintenance"

// MaintainInput is what the schedule of the upkeep starts with.
type MaintainInput struct {
	Workspace string    `json:"workspace"`
	Project   string    `json:"project"` // object key
	Due       time.Time `json:"due,omitzero"`
}

// Maintain keeps the lake in shape. It runs beside refreshes: commits that race
// are tried again, and what the last run pins is never touched.
func Maintain(ctx workflow.Context, in MaintainInput) error {
	due := in.Due
	if due.IsZero() {
		due = workflow.Now(ctx)
		if t, ok := workflow.GetTypedSearchAttributes(ctx).GetTime(scheduledTime); ok {
			due = t
		}
	}
	ctx = withControl(ctx, in.Workspace)
	return workflow.ExecuteActivity(ctx, activities.MaintainName, activities.MaintainInput{Workspace: in.Workspace, Project: in.Project, Now: due.UTC()}).Get(ctx, nil)
}
