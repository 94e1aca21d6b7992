package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
)

// Resolve finds which records are the same person or account.
func Resolve(ctx workflow.Context, in StageInput) (Report, error) {
	return perform(ctx, weir.Resolve, in)
}
