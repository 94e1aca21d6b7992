package activities

import (
	"context"
	"log/slog"
	"time"

	"github.com/weir-cdp/weir"
)

// Stages runs the steps of any stage.
type Stages struct {
	Of  map[weir.Stage]Stage
	Log *slog.Logger

	patience patience
}

// Plan fixes what a stage reads and writes its spec.
func (s *Stages) Plan(ctx context.Context, in PlanInput) (weir.StagePlan, error) {
	return step(ctx, s, in.Stage, in.Run.Attended, Patience, func(ctx context.Context, stage Stage, _ func(weir.Progress)) (weir.StagePlan, error) {
		return stage.Plan(ctx, in.Run, in.Part)
	})
}

// Run executes a spec; the result is the manifest's key.
func (s *Stages) Run(ctx context.Context, in RunInput) (string, error) {
	return step(ctx, s, in.Stage, in.Attended, Patience, func(ctx context.Context, stage Stage, progress func(weir.Progress)) (string, error) {
		return stage.Run(ctx, in.Spec, progress)
	})
}

// Commit makes a manifest's tables current.
func (s *Stages) Commit(ctx context.Context, in CommitInput) (weir.StageRun, error) {
	return step(ctx, s, in.Stage, in.Attended, Patience, func(ctx context.Context, stage Stage, _ func(weir.Progress)) (weir.StageRun, error) {
		return stage.Commit(ctx, in.Manifest)
	})
}

// Keep records that nothing was to do.
func (s *Stages) Keep(ctx context.Context, in KeepInput) (weir.StageRun, error) {
	return step(ctx, s, in.Stage, in.Run.Attended, Patience, func(ctx context.Context, stage Stage, _ func(weir.Progress)) (weir.StageRun, error) {
		return stage.Keep(ctx, in.Run, in.Part)
	})
}

// Fail records that the stage failed. What cannot be recorded is mostly what failed
// too, the store, so a person who waits is not kept by it.
func (s *Stages) Fail(ctx context.Context, in FailInput) error {
	_, err := step(ctx, s, in.Stage, in.Run.Attended, 0, func(ctx context.Context, stage Stage, _ func(weir.Progress)) (struct{}, error) {
		return struct{}{}, stage.Fail(ctx, in.Run, in.Part, Bound(in.Cause))
	})
	return err
}

// step runs one step of a stage. While what it needs is away, a step of an attended
// run is tried for most.
func step[T any](ctx context.Context, s *Stages, name weir.Stage, attended bool, most time.Duration, f func(context.Context, Stage, func(weir.Progress)) (T, error)) (T, error) {
	return beating(ctx, s.Log, func(ctx context.Context, progress func(weir.Progress)) (T, error) {
		stage, ok := s.Of[name]
		if !ok {
			var none T
			return none, weir.Errorf(weir.Internal, "this worker knows no stage %q", name).
				Then("start the workers of the same version as the command")
		}
		out, err := f(ctx, stage, progress)
		return out, s.patience.judge(ctx, attended, most, err)
	})
}
