package activities

import (
	"context"
	"log/slog"

	"github.com/weir-cdp/weir"
)

// Stages runs the steps of any stage.
type Stages struct {
	Of  map[weir.Stage]Stage
	Log *slog.Logger
}

// Plan fixes what a stage reads and writes its spec.
func (s *Stages) Plan(ctx context.Context, in PlanInput) (weir.StagePlan, error) {
	return step(ctx, s, in.Stage, func(ctx context.Context, stage Stage, _ func(weir.Progress)) (weir.StagePlan, error) {
		return stage.Plan(ctx, in.Run, in.Part)
	})
}

// Run executes a spec; the result is the manifest's key.
func (s *Stages) Run(ctx context.Context, in RunInput) (string, error) {
	return step(ctx, s, in.Stage, func(ctx context.Context, stage Stage, progress func(weir.Progress)) (string, error) {
		return stage.Run(ctx, in.Spec, progress)
	})
}

// Commit makes a manifest's tables current.
func (s *Stages) Commit(ctx context.Context, in CommitInput) (weir.StageRun, error) {
	return step(ctx, s, in.Stage, func(ctx context.Context, stage Stage, _ func(weir.Progress)) (weir.StageRun, error) {
		return stage.Commit(ctx, in.Manifest)
	})
}

// Keep records that nothing was to do.
func (s *Stages) Keep(ctx context.Context, in KeepInput) (weir.StageRun, error) {
	return step(ctx, s, in.Stage, func(ctx context.Context, stage Stage, _ func(weir.Progress)) (weir.StageRun, error) {
		return stage.Keep(ctx, in.Run, in.Part)
	})
}

// Fail records that the stage failed.
func (s *Stages) Fail(ctx context.Context, in FailInput) error {
	_, err := step(ctx, s, in.Stage, func(ctx context.Context, stage Stage, _ func(weir.Progress)) (struct{}, error) {
		return struct{}{}, stage.Fail(ctx, in.Run, in.Part, Bound(in.Cause))
	})
	return err
}

func step[T any](ctx context.Context, s *Stages, name weir.Stage, f func(context.Context, Stage, func(weir.Progress)) (T, error)) (T, error) {
	return beating(ctx, s.Log, func(ctx context.Context, progress func(weir.Progress)) (T, error) {
		stage, ok := s.Of[name]
		if !ok {
			var none T
			return none, weir.Errorf(weir.Internal, "this worker knows no stage %q", name).
				Then("start the workers of the same version as the command")
		}
		return f(ctx, stage, progress)
	})
}
