package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
)

// Decide asks the gate for every row that may be delivered.
func Decide(ctx workflow.Context, in StageInput) (Report, error) {
	return perform(ctx, weir.Decide, in)
}
