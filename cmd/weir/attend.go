package main

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir/workflows"
)

// untaken is how long a command waits for a worker before it works itself.
const untaken = 15 * time.Second

// attend makes sure that somebody does the work that a command asks for. On a Temporal
// of somebody else's, workers that stay do it: they have the secrets, the files and the
// way to the sources, which this machine may lack. Where there are none, or the
// workflow that waits for them is not taken, this process works. Mine tells whether it
// does from the start.
func (pl *platform) attend(ctx context.Context, c client.Client, id string) (stop func(), mine bool, err error) {
	external := pl.project.Temporal.Address != ""
	if pl.own == nil && !external {
		return func() {}, false, nil // a weir dev has the workers
	}
	if external {
		n, err := workflows.Attended(ctx, c, pl.project.Name)
		if err != nil {
			return nil, false, err
		}
		if n > 0 {
			return pl.standBy(ctx, c, id), false, nil
		}
	}
	stop, err = pl.work(c)
	return stop, err == nil, err
}

// standBy works once a workflow has waited for too long.
func (pl *platform) standBy(ctx context.Context, c client.Client, id string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		tick := time.NewTicker(untaken / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			waits, err := workflows.Untaken(ctx, c, id, untaken)
			if err != nil || !waits {
				continue // who watches the run tells of a Temporal that is away
			}
			pl.app.log.Warn("no worker takes the work: this process does it", "workflow", id)
			end, err := pl.work(c)
			if err != nil {
				pl.app.log.Warn("this process can't work", "error", err)
				continue
			}
			<-ctx.Done()
			end()
			return
		}
	})
	return func() { cancel(); watch.Wait() }
}
