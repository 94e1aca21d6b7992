package main

import (
	"context"
	"fmt"
	"os"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"

	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/roster"
)

// prismCommand makes this program a pipeline's process whose graph Prism executes, Beam's
// own runner for one machine, as a peer of Weir's.
const prismCommand = "pipeline-on-prism"

type prismExecutor struct{}

// Run implements pipelines.Executor.
func (prismExecutor) Run(ctx context.Context, graph *beam.Pipeline) error {
	_, err := beam.Run(ctx, "prism", graph)
	return err
}

// prismProcess runs the spec that the arguments name, and tells whether they do.
func prismProcess(ctx context.Context) bool {
	if len(os.Args) != 3 || os.Args[1] != prismCommand {
		return false
	}
	if err := pipelines.Main(ctx, prismExecutor{}, os.Args[2], roster.Pipelines()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}
