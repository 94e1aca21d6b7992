package pipelines

import (
	"context"

	"github.com/weir-cdp/weir"
)

// Runner runs a spec that is stored under a key and returns the manifest that it left.
// A run that an earlier attempt completed is returned at once; one that still goes on
// is waited for where the runner can find it. Progress may be nil. A cancelled context
// ends the run before Run returns; but one whose cause is weir.Unavailable (this worker
// ends, the run does not) leaves what the runner can find again.
//
// Child is a process on this machine; package jobservice hands the same graph to a
// cluster.
type Runner interface {
	Run(ctx context.Context, specKey string, progress func(weir.Progress)) (weir.Manifest, error)
}
