package pipelines

import (
	"context"

	"github.com/weir-cdp/weir"
)

// Runner runs a spec that is stored under a key and returns the manifest that it left.
// A run that an earlier attempt completed is returned at once; one that still goes on
// is waited for where the runner can find it. Progress may be nil. A cancelled context
// ends the run before Run returns.
//
// Child is a process on this machine; package jobservice hands the same graph to a
// cluster.
type Runner interface {
	Run(ctx context.Context, specKey string, progress func(weir.Progress)) (weir.Manifest, error)
}
