package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
)

// Unify makes one golden record per profile.
func Unify(ctx workflow.Context, in StageInput) (Report, error) {
	return perform(ctx, weir.Unify, in)
}
