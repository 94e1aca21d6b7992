package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
)

// Segment computes traits and memberships.
func Segment(ctx workflow.Context, in StageInput) (Report, error) {
	return perform(ctx, weir.Segment, in)
}
