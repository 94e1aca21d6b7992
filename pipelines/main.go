package pipelines

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct" //nolint:staticcheck // alone: beamx pulls in every runner

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/pipelines/scratch"
)

// The environment of a pipeline process: JSON texts.
const (
	StoreEnv   = "WEIR_OBJECT_STORE"     // an object.Config
	SecretsEnv = "WEIR_PIPELINE_SECRETS" // map of secrets by name; may be absent
)

// Executor executes a Beam graph to its end, inside this process. Success is not
// told by a nil error alone (a cancelled job returns nil): the manifest must be there.
type Executor interface {
	Run(ctx context.Context, graph *beam.Pipeline) error
}

// Direct is Beam's runner that executes a graph in this process, without a
// server. Prism, its successor, serves jobs on every interface without asking who
// it is, and starts any command that a job names: not beside customers' data
// (docs/adr/20261123-direct-runner.md). The tests run the graph on Prism too, so
// that it stays portable.
type Direct struct{}

// Run implements Executor.
func (Direct) Run(ctx context.Context, graph *beam.Pipeline) error {
	_, err := beam.Run(ctx, "direct", graph)
	return err
}

// worker is what DoFns in this process find their spec by: a graph holds names
// only. Set once, by Register.
var worker struct {
	mu       sync.Mutex
	stages   map[weir.Stage]Pipeline
	open     func(context.Context) (*object.Store, map[string]string, error) // nil: environment
	reports  bool                                                            // a task's error is left in the store
	progress func(weir.Progress)
	running  map[string]*execution // by spec key
}

// Register tells this process which pipelines it can work on.
func Register(stages map[weir.Stage]Pipeline) {
	worker.mu.Lock()
	defer worker.mu.Unlock()
	worker.stages = stages
}

// Serve makes this process the worker of a cluster's job: its tasks find their spec in
// store, and the first error is left beside the spec (ReadFailure). To be called once,
// before any work comes.
func Serve(stages map[weir.Stage]Pipeline, store *object.Store, secrets map[string]string) {
	Register(stages)
	worker.mu.Lock()
	worker.open = func(context.Context) (*object.Store, map[string]string, error) { return store, secrets, nil }
	worker.reports = true
	worker.mu.Unlock()
	collectLate()
	initBeam()
}

var initBeam = sync.OnceFunc(func() {
	if !beam.Initialized() {
		beam.Init()
	}
})

// Graph is the Beam graph that runs a spec by pipeline p. It names the spec's key, and
// holds no secret and no value.
func Graph(p Pipeline, specKey string) (*beam.Pipeline, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	initBeam()
	return build(p, specKey), nil
}

// executionOf returns this process's execution of a spec, opened on first use
// with the store and secrets of the environment.
func executionOf(ctx context.Context, specKey string) (*execution, error) {
	worker.mu.Lock()
	defer worker.mu.Unlock()
	if x := worker.running[specKey]; x != nil {
		return x, nil
	}
	folder := os.Getenv(scratchEnv)
	open := worker.open
	if open == nil {
		open = environment
	}
	store, secrets, err := open(ctx)
	if err != nil {
		return nil, err
	}
	spec, err := ReadSpec(ctx, store, specKey)
	if err != nil {
		return nil, err
	}
	p, ok := worker.stages[spec.Stage]
	if !ok {
		return nil, weir.Errorf(weir.Internal, "this process has no pipeline for stage %s", spec.Stage)
	}
	x, err := newExecution(store, spec, p, secrets)
	if err != nil {
		return nil, err
	}
	if folder != "" {
		x.rows, x.local = scratch.Folder(folder), true
	}
	x.progress, x.reports = worker.progress, worker.reports
	if worker.running == nil {
		worker.running = map[string]*execution{}
	}
	worker.running[specKey] = x
	return x, nil
}

// environment opens what a pipeline process was handed beside its arguments.
func environment(ctx context.Context) (*object.Store, map[string]string, error) {
	var config object.Config
	if err := json.Unmarshal([]byte(os.Getenv(StoreEnv)), &config); err != nil {
		return nil, nil, weir.Errorf(weir.Invalid, "%s does not hold an object store's configuration", StoreEnv)
	}
	var secrets map[string]string
	if text := os.Getenv(SecretsEnv); text != "" {
		if err := json.Unmarshal([]byte(text), &secrets); err != nil {
			return nil, nil, weir.Errorf(weir.Invalid, "%s does not hold a JSON object of texts", SecretsEnv)
		}
	}
	// Whatever this process might start must not inherit them.
	for _, name := range []string{StoreEnv, SecretsEnv} {
		if err := os.Unsetenv(name); err != nil {
			return nil, nil, weir.Errorf(weir.Internal, "forget %s: %w", name, err)
		}
	}
	store, err := object.Open(ctx, config)
	return store, secrets, err
}

// Main is the main function of a pipeline process that RunChild started: it runs
// the spec by an executor, tells progress and at last the outcome on standard output
// as JSON lines, and returns an error whose text holds no row value. It must be
// called once in a process, before anything else reads standard input.
func Main(ctx context.Context, on Executor, specKey string, stages map[weir.Stage]Pipeline) error {
	if err := leash(); err != nil {
		return err
	}
	collectLate()
	lines := &lineWriter{w: os.Stdout}
	err := execute(ctx, on, specKey, stages, func(p weir.Progress) { lines.write(line{Progress: &p}) })
	if err != nil {
		lines.write(line{Code: weir.CodeOf(err), Error: err.Error()})
	}
	return err
}

// execute builds the graph of a spec's stage and runs it.
func execute(ctx context.Context, r Executor, specKey string, stages map[weir.Stage]Pipeline, progress func(weir.Progress)) error {
	Register(stages)
	worker.mu.Lock()
	worker.progress = progress
	worker.mu.Unlock()
	// Beam reads its options from flag.CommandLine; ours come another way.
	if err := flag.CommandLine.Parse(nil); err != nil {
		return weir.Errorf(weir.Internal, "beam's flags: %w", err)
	}
	initBeam()
	x, err := executionOf(ctx, specKey)
	if err != nil {
		return err
	}
	err = r.Run(ctx, build(x.pipeline, specKey))
	if first := x.failure(); first != nil {
		return first
	}
	if err != nil {
		return weir.Errorf(weir.Internal, "the Beam runner failed: %w", err)
	}
	_, err = readManifest(ctx, x.store, x.spec)
	return err
}

// line is one line of a pipeline process's standard output.
type line struct {
	Progress *weir.Progress `json:"progress,omitempty"`
	Code     weir.Code      `json:"code,omitempty"`
	Error    string         `json:"error,omitempty"`
}

type lineWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lineWriter) write(v line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = json.NewEncoder(l.w).Encode(v) // a parent that is gone ends this process anyway
}
