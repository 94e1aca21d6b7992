package pipelines

import (
	"context"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
)

func init() {
	register.DoFn3x1[context.Context, []byte, func(int, string), error](&sourcesFn{})
	register.DoFn4x1[context.Context, int, func(*string) bool, func(int, string), error](&stepFn{})
	register.DoFn3x1[context.Context, int, func(*string) bool, error](&manifestFn{})
	register.Emitter2[int, string]()
	register.Iter1[string]()
}

// build makes the Beam graph of a stage. It holds names only: whoever sees the
// graph learns no secret and no value.
func build(p Pipeline, specKey string) *beam.Pipeline {
	graph, s := beam.NewPipelineWithRoot()
	s = s.Scope("weir." + string(p.Stage))
	elements := beam.ParDo(s.Scope("sources"), &sourcesFn{Spec: specKey}, beam.Impulse(s))
	for i, step := range p.Steps {
		in := s.Scope(step.Name)
		elements = beam.ParDo(in, &stepFn{Spec: specKey, Step: i, Last: i == len(p.Steps)-1},
			beam.GroupByKey(in, elements))
	}
	end := s.Scope("manifest")
	beam.ParDo0(end, &manifestFn{Spec: specKey}, beam.GroupByKey(end, elements))
	return graph
}

// sourcesFn lists what the first step reads.
type sourcesFn struct {
	Spec string
}

func (f *sourcesFn) ProcessElement(ctx context.Context, _ []byte, emit func(int, string)) error {
	x, err := executionOf(ctx, f.Spec)
	if err != nil {
		return err
	}
	elements, err := x.sourceElements(ctx)
	if err != nil {
		x.fail(err)
		return err
	}
	return send(elements, false, emit)
}

// stepFn runs the tasks of one step. A runner may hand it all partitions in one
// bundle, one after the other (Direct and Prism do), so they are gathered, and run side
// by side at the bundle's end.
type stepFn struct {
	Spec string
	Step int
	Last bool

	x     *execution
	tasks []work
	mu    sync.Mutex
	out   []element
	err   error
}

func (f *stepFn) StartBundle(ctx context.Context, _ func(int, string)) error {
	x, err := executionOf(ctx, f.Spec)
	f.x, f.tasks, f.out, f.err = x, nil, nil, nil
	return err
}

func (f *stepFn) ProcessElement(_ context.Context, partition int, texts func(*string) bool, emit func(int, string)) error {
	var mine, others []element
	var text string
	for texts(&text) {
		e, err := decodeElement(partition, text)
		if err != nil {
			return err
		}
		if e.To == f.Step {
			mine = append(mine, e)
		} else {
			others = append(others, e)
		}
	}
	if len(mine) > 0 {
		f.tasks = append(f.tasks, work{partition, mine})
	}
	return send(others, f.Last, emit)
}

func (f *stepFn) FinishBundle(ctx context.Context, emit func(int, string)) error {
	largestFirst(f.tasks)
	var running sync.WaitGroup
	for _, w := range f.tasks {
		f.x.slots <- struct{}{}
		if f.failed() != nil {
			<-f.x.slots
			break
		}
		running.Go(func() {
			defer func() { <-f.x.slots }()
			out, err := f.x.runTask(ctx, f.Step, w.partition, w.in)
			f.mu.Lock()
			defer f.mu.Unlock()
			f.out = append(f.out, out...)
			if f.err == nil {
				f.err = err
			}
		})
	}
	running.Wait()
	if err := f.failed(); err != nil {
		return err
	}
	return send(f.out, f.Last, emit)
}

func (f *stepFn) failed() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// manifestFn gets every task's result under one key and writes the manifest.
type manifestFn struct {
	Spec string
}

func (f *manifestFn) ProcessElement(ctx context.Context, key int, texts func(*string) bool) error {
	x, err := executionOf(ctx, f.Spec)
	if err != nil {
		return err
	}
	var elements []element
	var text string
	for texts(&text) {
		e, err := decodeElement(key, text)
		if err != nil {
			return err
		}
		elements = append(elements, e)
	}
	if err := x.finish(ctx, elements); err != nil {
		x.fail(err)
		return err
	}
	return nil
}

// send emits elements under their partition, or all under one key.
func send(elements []element, gather bool, emit func(int, string)) error {
	for _, e := range elements {
		text, err := e.encode()
		if err != nil {
			return err
		}
		if gather {
			emit(0, text)
		} else {
			emit(e.At, text)
		}
	}
	return nil
}
