package main

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/workflows"
)

// workVersioned starts workers as those of this build on a Temporal of others, and makes
// it the one that workflows run on, unless a newer one is.
func (pl *platform) workVersioned(c client.Client, work workflows.Work) (stop func(), err error) {
	ctx := context.Background() // bounded below, each by its own time
	stays, build := pl.identity != "", cmp.Or(pl.build, buildName())
	control := len(work.Queues) == 0 || slices.Contains(work.Queues, workflows.QueueNames()[0])
	asked, cancel := context.WithTimeout(ctx, checkWait)
	defer cancel()
	current, versioned, err := workflows.CurrentBuild(asked, c, work.Workspace)
	if err != nil {
		return nil, err
	}
	if !versioned || !control {
		if control {
			pl.app.log.Warn("this Temporal knows no Worker Deployments: stop all workers of an older build before those of a newer one start")
		}
		w := workflows.NewWorkers(c, work)
		return w.Stop, w.Start()
	}
	if current > build && !pl.takeOver && !stays {
		return nil, weir.Errorf(weir.Denied, "a newer build (%s) has worked for %s; this is %s, and no worker of the newer one polls", current, work.Workspace, build).
			Then("use the newer program, or go back by weir worker --take-over")
	}
	work.Build = build
	w := workflows.NewWorkers(c, work)
	if err := w.Start(); err != nil {
		return nil, err
	}
	current, err = workflows.TakeOver(ctx, c, work.Workspace, build, pl.takeOver)
	switch {
	case err != nil && !stays:
		w.Stop()
		return nil, err
	case err != nil: // it polls, and works as soon as somebody decides
		pl.app.log.Error("workflows do not run on this build yet", "build", build, "error", err)
		pl.app.sayf("weir: workflows do not run on this build yet: %v\n", err)
		trying, end := context.WithCancel(ctx)
		var later sync.WaitGroup
		later.Go(func() {
			tick := time.NewTicker(takeOverAgain)
			defer tick.Stop()
			tryAgain(trying, tick.C, func() error {
				current, err := workflows.TakeOver(trying, c, work.Workspace, build, pl.takeOver)
				if err == nil {
					pl.app.log.Info("it is decided on which build workflows run", "build", current, "this", build)
				}
				return err
			})
		})
		return func() { end(); later.Wait(); w.Stop() }, nil
	case current != build:
		pl.app.sayf("weir: workflows run on a newer build, %s; this one, %s, does other steps only\n", current, build)
	}
	return w.Stop, nil
}

// takeOverAgain is how often a worker tries once more to have workflows run on its build.
const takeOverAgain = 30 * time.Second

// tryAgain tries at each tick until it succeeds or ctx ends: a Temporal that was busy when
// a worker started must not leave workflows to builds whose workers are gone.
func tryAgain(ctx context.Context, tick <-chan time.Time, try func() error) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		if try() == nil {
			return
		}
	}
}
