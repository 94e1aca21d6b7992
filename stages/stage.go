package stages

import (
	"context"

	"github.com/weir-cdp/weir"
)

// Stage is one of the seven. Part is what the stage is run for: `source/stream`
// of collect, a destination of activate, "" else.
//
// Each step may be repeated after a crash: Plan for the same run and part gives
// the same spec, Run the same manifest, Commit the same commit (a no-op the
// second time).
type Stage interface {
	// Plan fixes the inputs and writes the spec.
	Plan(ctx context.Context, run weir.Run, part string) (weir.StagePlan, error)
	// Run executes a spec and returns its manifest's key. It calls progress now
	// and then, from one goroutine.
	Run(ctx context.Context, spec string, progress func(weir.Progress)) (manifest string, err error)
	// Commit makes the manifest's tables current and records the row of ops.runs.
	Commit(ctx context.Context, manifest string) (weir.StageRun, error)
	// Keep records that this run found nothing to do: the row of ops.runs with
	// status unchanged and the snapshots that stay pinned.
	Keep(ctx context.Context, run weir.Run, part string) (weir.StageRun, error)
	// Fail records a failed run in ops.runs; what was current stays current.
	Fail(ctx context.Context, run weir.Run, part string, cause string) error
}
