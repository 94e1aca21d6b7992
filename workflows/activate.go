package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
)

// Activate delivers to one destination (in.Part) what all its activations have
// to send. It may outlive the refresh that started it: a destination that
// hangs delays nobody.
func Activate(ctx workflow.Context, in StageInput) (Report, error) {
	return perform(ctx, weir.Activate, in)
}
