package jobservice

import (
	"context"
	"errors"
	"testing"

	"github.com/weir-cdp/weir"
)

func TestAWorkersEndLeavesTheJob(t *testing.T) {
	c := newCluster(t)
	ending := weir.Errorf(weir.Unavailable, "the worker is stopping")
	ctx, cancel := context.WithCancelCause(t.Context())
	c.onRun = func(*cluster, string) {}
	c.onLook = func(*cluster, string, int) { cancel(ending) }
	if _, err := c.runner().Run(ctx, specKey, nil); !errors.Is(err, ending) {
		t.Fatal(err)
	}
	if len(c.cancelled) != 0 {
		t.Fatalf("cancelled %v", c.cancelled)
	}
	// The next attempt, of another worker, goes on with it.
	c.onLook = func(c *cluster, id string, _ int) { c.complete(); c.set(id, "FINISHED") }
	if _, err := c.runner().Run(t.Context(), specKey, nil); err != nil {
		t.Fatal(err)
	}
	if c.submitted() != 1 {
		t.Errorf("%d jobs were submitted", c.submitted())
	}
}
