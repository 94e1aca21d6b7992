// Command weir-pipeline is Weir's worker on a cluster: it has every stage's pipeline,
// and neither Temporal nor DuckDB. Flink's task managers start it for a job, by Beam's
// PROCESS environment, as
//
//	weir-pipeline --id=… --provision_endpoint=…
//
// It asks there which job it is for and works until that ends, in this same process: it
// starts no other, so that none is left behind. Where the object store is, it knows by
// its machine (config.go), never by the job.
//
// `weir-pipeline check` tells whether it could work here; `weir-pipeline version` which
// build it is, which must be that of the weir that submits.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/jobservice"
)

func main() {
	os.Exit(command(os.Args[1:], os.Stdout, os.Stderr))
}

func command(args []string, out, problems io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) == 1 {
		switch args[0] {
		case "version":
			fmt.Fprintln(out, "weir-pipeline, build", pipelines.Build())
			return 0
		case "check":
			return ended(check(ctx, out), problems)
		}
	}
	flags := flag.NewFlagSet("weir-pipeline", flag.ContinueOnError)
	flags.SetOutput(problems)
	id := flags.String("id", "", "the worker's id (given by Flink)")
	provision := flags.String("provision_endpoint", "", "who knows the job (given by Flink)")
	for _, other := range []string{"logging_endpoint", "artifact_endpoint", "control_endpoint"} {
		flags.String(other, "", "asked for at the provision endpoint")
	}
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if *id == "" || *provision == "" {
		fmt.Fprintln(problems, "weir-pipeline: Flink's task managers start it, see docs/cluster.md; to try it on a machine: weir-pipeline check")
		return 2
	}
	go diesWithParent(os.Getppid())
	// A task that hangs must not outlive its job: main's return ends the process.
	context.AfterFunc(ctx, func() { os.Exit(0) })
	return ended(work(ctx, *id, *provision), problems)
}

// check reads the configuration and reaches the store.
func check(ctx context.Context, out io.Writer) error {
	c, err := readConfig()
	if err != nil {
		return refused{jobservice.ExitConfig, err}
	}
	if _, err := object.Open(ctx, c.store); err != nil {
		return refused{jobservice.ExitStore, err}
	}
	fmt.Fprintf(out, "weir-pipeline, build %s: bucket %s at %s is reached\n", pipelines.Build(), c.store.Bucket, c.store.Endpoint)
	return nil
}

// refused is an error with the exit code that tells the submitter of it.
type refused struct {
	code int
	error
}

func (r refused) Unwrap() error { return r.error }

func ended(err error, problems io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(problems, "weir-pipeline:", err)
	var r refused
	if errors.As(err, &r) {
		return r.code
	}
	if weir.CodeOf(err) == weir.Internal {
		return 1
	}
	return 3
}
