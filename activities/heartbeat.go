package activities

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"

	"github.com/weir-cdp/weir"
)

// HeartbeatTimeout is how long a silent worker is taken to be alive. It is also
// how long a refresh waits after kill -9 before it goes on, so it is short.
const HeartbeatTimeout = 10 * time.Second

// heartbeatEvery leaves room for four lost beats on a loaded machine.
const heartbeatEvery = 2 * time.Second

// lastAnswer is how long a worker that stops waits for the answer to its last beat.
const lastAnswer = time.Second

// beating calls f with a context that ends when the workflow cancels or the
// worker stops, and heartbeats meanwhile with the latest progress. Where the step is
// not cancelled but left, so that it will be repeated, the context's cause is
// weir.Unavailable: what goes on elsewhere may go on. Errors are encoded, a panic is
// one.
func beating[T any](ctx context.Context, log *slog.Logger, f func(ctx context.Context, progress func(weir.Progress)) (T, error)) (out T, err error) {
	asked := ctx // ends when the workflow cancels, or Temporal does not hear us
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer context.AfterFunc(asked, func() { cancel(left(context.Cause(asked))) })()
	var latest struct {
		sync.Mutex
		weir.Progress
	}
	record := func() {
		latest.Lock()
		p := latest.Progress
		latest.Unlock()
		activity.RecordHeartbeat(ctx, p)
	}
	var beat sync.WaitGroup
	stopping := activity.GetWorkerStopChannel(ctx)
	var stopped bool // written before beat is done, read after
	beat.Go(func() {
		tick := time.NewTicker(heartbeatEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-stopping:
				stopped = true
				record() // its answer tells if the workflow has cancelled meanwhile
				select {
				case <-ctx.Done():
				case <-time.After(lastAnswer):
				}
				cancel(errStopping)
				return
			case <-tick.C:
				record()
			}
		}
	})
	out, err = guarded(ctx, log, f, func(p weir.Progress) {
		p.Note = Bound(p.Note)
		latest.Lock()
		latest.Progress = p
		latest.Unlock()
		activity.RecordHeartbeat(ctx, p) // the SDK drops what comes too often
	})
	cancel(nil)
	beat.Wait()
	if err != nil && stopped {
		err = errStopping
	}
	if err != nil && asked.Err() != nil {
		return out, asked.Err()
	}
	return out, Encode(err, activity.GetInfo(ctx).Attempt)
}

// errStopping is the cause where this worker ends in the middle of a step.
var errStopping = weir.Errorf(weir.Unavailable, "the worker is stopping").Then("start it again: the step is repeated")

// left is the cause of a step's end. The SDK ends a step's context when the workflow
// cancels, and says NotFound where that has ended since; also when Temporal does not
// hear this worker's heartbeats: then the step is repeated.
func left(cause error) error {
	var away *serviceerror.Unavailable
	if errors.As(cause, &away) || errors.Is(cause, context.DeadlineExceeded) || errors.Is(cause, worker.ErrWorkerShutdown) {
		return weir.Errorf(weir.Unavailable, "this worker no longer has the step: %w", cause)
	}
	return context.Canceled
}

// guarded turns a panic into an error; its value stays out of the history,
// since it could hold a row.
func guarded[T any](ctx context.Context, log *slog.Logger, f func(context.Context, func(weir.Progress)) (T, error), progress func(weir.Progress)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			log.ErrorContext(ctx, "an activity panicked", "activity", activity.GetInfo(ctx).ActivityType.Name, "stack", string(debug.Stack()))
			err = weir.Errorf(weir.Internal, "a defect stopped the step").Then("see the log of the worker, and report it")
		}
	}()
	return f(ctx, progress)
}
