package flink

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/test/clustertest"
	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// TestJobServiceAlone: what goes wrong is told, and cleaned up, also where a job is known
// by Beam's job service alone.
func TestJobServiceAlone(t *testing.T) {
	pl := newPlace(t)
	f := clustertest.StartMiniFlink(t, clustertest.FlinkOptions{Store: pl.config})
	p := pl.shop(t, "crm", "300")
	p.Run(t, weirtest.Partial, "collect", "conform", "resolve", "--now", now)
	x := newTrouble(t, f, pl.of("crm"), weir.Resolve)
	t.Run("no worker", x.noWorker)
	t.Run("failing task", x.failingTask)
	t.Run("cancelled", x.cancelledAlone)
}

// cancelledAlone cancels as soon as a worker is there: nobody tells of progress.
func (x *trouble) cancelledAlone(t *testing.T) {
	fresh, _, _ := again(t, x.store, x.key, "cancelled")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		defer cancel()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for len(x.f.Workers(t)) == 0 {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	if _, err := x.runner(t, nil).Run(ctx, fresh, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	x.clean(t)
	if _, err := x.runner(t, nil).Run(t.Context(), fresh, nil); err != nil {
		t.Errorf("the next attempt: %v", err)
	}
	x.clean(t)
}
