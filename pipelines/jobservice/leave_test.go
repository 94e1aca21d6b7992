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

// TestAWorkersEndLeavesTheJobWithoutREST: nor does one that has the job service alone
// cancel what the run wants.
func TestAWorkersEndLeavesTheJobWithoutREST(t *testing.T) {
	c := newCluster(t)
	ending := weir.Errorf(weir.Unavailable, "the worker is stopping")
	ctx, cancel := context.WithCancelCause(t.Context())
	c.onRun = func(*cluster, string) {}
	c.onListen = func() { cancel(ending) }
	r := c.runner()
	r.flink = nil
	if _, err := r.Run(ctx, specKey, nil); !errors.Is(err, ending) {
		t.Fatal(err)
	}
	if len(c.ended) != 0 {
		t.Errorf("cancelled %v", c.ended)
	}
	ctx, cancel = context.WithCancelCause(t.Context())
	c.onListen = func() { cancel(context.Canceled) }
	if _, err := r.Run(ctx, specKey, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if len(c.ended) != 1 {
		t.Errorf("of a cancelled run, cancelled %v", c.ended)
	}
}

// TestForgottenJobIsNotWaitedFor: the job service goes on saying that it runs, and the
// next attempt knows better.
func TestForgottenJobIsNotWaitedFor(t *testing.T) {
	c := newCluster(t)
	c.stale = true
	c.onRun = func(*cluster, string) {}
	c.onLook = func(c *cluster, _ string, _ int) {
		c.mu.Lock()
		c.jobs = nil // the job manager was restarted
		c.mu.Unlock()
	}
	r := c.runner()
	if _, err := r.Run(t.Context(), specKey, nil); weir.CodeOf(err) != weir.Unavailable {
		t.Fatalf("got %v", err)
	}
	c.onLook, c.onRun = nil, func(c *cluster, id string) { c.complete(); c.set(id, "FINISHED") }
	ctx, cancel := context.WithTimeout(t.Context(), onItsWay/2)
	defer cancel()
	if _, err := r.Run(ctx, specKey, nil); err != nil {
		t.Errorf("the next attempt: %v", err)
	}
}

// TestCancelIsAskedForAgain: that Flink is busy for a moment leaves no job behind.
func TestCancelIsAskedForAgain(t *testing.T) {
	c := newCluster(t)
	ctx, cancel := context.WithCancel(t.Context())
	c.onRun = func(*cluster, string) {}
	c.onLook = func(c *cluster, _ string, _ int) {
		c.mu.Lock()
		c.hiccups = 3
		c.mu.Unlock()
		cancel()
	}
	if _, err := c.runner().Run(ctx, specKey, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if c.jobs[0].State != "CANCELED" {
		t.Errorf("the job is %s", c.jobs[0].State)
	}
}
