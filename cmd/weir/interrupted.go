package main

import (
	"context"

	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/workflows"
)

// finishInterrupted lets a refresh end that a killed or interrupted command left
// behind: it holds the workspace, and nobody but this process works for it. How
// it ends is told, and is no error of the refresh that follows, which does again
// what is missing.
func (a *app) finishInterrupted(ctx context.Context, c client.Client, workspace string) error {
	left, err := workflows.CurrentRefresh(ctx, c, workspace)
	if weir.CodeOf(err) == weir.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	a.sayf("weir: a refresh that has not ended goes on first\n")
	view := a.newProgress()
	snap, err := left.Watch(ctx, view.show)
	view.end()
	if ctx.Err() != nil {
		return weir.Errorf(weir.Unavailable, "interrupted; what was committed stays").Then("weir run")
	}
	if snap.Run.ID != "" {
		a.sayf("weir: run %s ended as %s\n", snap.Run.ID, snap.Outcome)
	} else if err != nil {
		a.sayf("weir: that refresh ended: %v\n", err)
	}
	return nil
}
