package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
)

// Conform maps raw rows to records, events and consents.
func Conform(ctx workflow.Context, in StageInput) (Report, error) {
	return perform(ctx, weir.Conform, in)
}
