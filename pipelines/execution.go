package pipelines

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// execution is one run of one spec in one process.
type execution struct {
	store    *object.Store
	spec     *Spec
	pipeline Pipeline
	secrets  map[string]string
	rows     rowStore
	local    bool // rows is on a disk of this machine
	buffers  *buffers
	shared   sync.Map // name to *sharedValue
	slots    chan struct{}
	reports  bool // the first error is left in the store

	mu       sync.Mutex
	first    error
	done     int64
	total    int64
	progress func(weir.Progress)
}

type sharedValue struct {
	once  sync.Once
	value any
	err   error
}

// rowStore is where steps leave rows for one another: the object store, or a folder
// of this machine (scratch.Folder) where all tasks run in one process.
type rowStore interface {
	PutChecked(ctx context.Context, key string, data []byte) error
	ReadRange(ctx context.Context, key string, offset, length int64) ([]byte, error)
}

// newExecution checks that the spec is of the pipeline.
func newExecution(store *object.Store, spec *Spec, p Pipeline, secrets map[string]string) (*execution, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if spec.Stage != p.Stage {
		return nil, weir.Errorf(weir.Internal, "the spec is of stage %s, the pipeline of %s", spec.Stage, p.Stage)
	}
	if spec.Manifest == "" || trimSlash(spec.Scratch) == "" {
		return nil, weir.Errorf(weir.Internal, "the spec of %s names no manifest or no scratch prefix", spec.Stage)
	}
	return &execution{store: store, rows: store, buffers: &buffers{}, spec: spec, pipeline: p, secrets: secrets,
		slots: make(chan struct{}, slots(runtime.GOMAXPROCS(0), debug.SetMemoryLimit(-1)))}, nil
}

// slots is how many tasks run side by side: one a processor, as far as the
// process's memory limit goes. A task holds a partition (partitionRows) and its
// buffers (taskMemory), so many processors must not make the process larger.
func slots(processors int, memory int64) int {
	return int(max(1, min(int64(processors), memory/SlotMemory)))
}

// work is a task to be run: what was sent to a partition of a step.
type work struct {
	partition int
	in        []element
}

// size says about how much a task of a step has to do, beside others of the step.
func (w *work) size() (n int64) {
	for _, e := range w.in {
		switch {
		case e.Ref != nil:
			n += e.Ref.Bytes
		case e.Source != nil:
			n += e.Source.rows()
		}
	}
	return n
}

// largestFirst orders tasks so that none of the large ones begins when the others end,
// and keeps one processor alone with it (Graham 1969).
func largestFirst(tasks []work) {
	slices.SortFunc(tasks, func(a, b work) int {
		return cmp.Or(cmp.Compare(b.size(), a.size()), cmp.Compare(a.partition, b.partition))
	})
}

// sourceElements are what the first step starts from. The seed result makes sure
// that a run without any row still writes its manifest.
func (x *execution) sourceElements(ctx context.Context) ([]element, error) {
	tasks, err := sources(ctx, x.store, x.pipeline, x.spec)
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	x.total = int64(len(tasks)) + int64(len(x.pipeline.Steps)-1)*int64(max(1, x.spec.Partitions))
	x.mu.Unlock()
	elements := []element{{To: toManifest, Result: &result{Task: "seed", Step: -1}}}
	for i := range tasks {
		elements = append(elements, element{To: 0, At: i, Source: &tasks[i]})
	}
	return elements, nil
}

// runTask executes step index on the elements that were sent to one partition
// of it and returns what it sends on.
func (x *execution) runTask(ctx context.Context, index, partition int, in []element) (out []element, err error) {
	t := &Task{ctx: ctx, rt: x, index: index, partition: partition, id: fmt.Sprintf("%06d", partition)}
	var refs []ref
	for _, e := range in {
		switch {
		case e.Source != nil:
			t.source = e.Source
		case e.Ref != nil:
			refs = append(refs, *e.Ref)
		}
	}
	t.in = map[string][]ref{}
	for _, r := range sortRefs(refs) {
		t.in[r.Channel] = append(t.in[r.Channel], r)
	}
	defer func() {
		if p := recover(); p != nil {
			err = panicked(t, p)
		}
		if err != nil {
			t.abort()
			out = nil
			x.fail(err)
		}
	}()
	if err := x.pipeline.Steps[index].Run(ctx, t); err != nil {
		return nil, fmt.Errorf("%s, step %s, task %s: %w", x.pipeline.Stage, t.Step(), t.id, err)
	}
	out, err = t.finish()
	if err == nil {
		x.taskDone(t)
	}
	return out, err
}

// panicked makes an error of a panic without printing a value that might be
// somebody's.
func panicked(t *Task, p any) error {
	what := fmt.Sprintf("%T", p)
	if e, ok := p.(runtime.Error); ok {
		what = e.Error()
	}
	stack := make([]byte, 8<<10)
	stack = stack[:runtime.Stack(stack, false)]
	return weir.Errorf(weir.Internal, "step %s panicked: %s\n%s", t.Step(), what, stack)
}

// fail remembers the first error: what comes back through a runner is text.
func (x *execution) fail(err error) {
	x.mu.Lock()
	if x.first == nil {
		x.first = err
	}
	x.mu.Unlock()
	if x.reports {
		leaveFailure(x.store, x.spec, err)
	}
}

func (x *execution) failure() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.first
}

func (x *execution) taskDone(t *Task) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.done++
	if x.progress != nil {
		x.progress(weir.Progress{Done: x.done, Total: max(x.total, x.done), Unit: "tasks", Note: t.Step()})
	}
}

// finish writes the manifest from the results of all tasks.
func (x *execution) finish(ctx context.Context, elements []element) error {
	var results []result
	for _, e := range elements {
		if e.Result == nil {
			return weir.Errorf(weir.Internal, "rows were sent to a step that never ran (step %d)", e.To)
		}
		results = append(results, *e.Result)
	}
	m, err := assemble(x.pipeline, x.spec, results)
	if err != nil {
		return err
	}
	account, err := moved(x.pipeline, x.spec, m, results)
	if err != nil {
		return err
	}
	if err := leaveMoved(ctx, x.store, x.spec, account); err != nil {
		return err
	}
	return publish(ctx, x.store, x.spec, m)
}

func trimSlash(prefix string) string { return strings.TrimRight(prefix, "/") }
