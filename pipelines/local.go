package pipelines

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// RunLocal runs a spec's steps in this process without Beam and returns the
// manifest that it wrote. It is for tests of steps: the same tasks in the same
// cut, so a runner must give what RunLocal gives.
func RunLocal(ctx context.Context, s *object.Store, specKey string, p Pipeline, secrets map[string]string) (weir.Manifest, error) {
	spec, err := ReadSpec(ctx, s, specKey)
	if err != nil {
		return weir.Manifest{}, err
	}
	x, err := newExecution(s, spec, p, secrets)
	if err != nil {
		return weir.Manifest{}, err
	}
	elements, err := x.sourceElements(ctx)
	if err != nil {
		return weir.Manifest{}, err
	}
	for index := range p.Steps {
		if elements, err = x.localStep(ctx, index, elements); err != nil {
			return weir.Manifest{}, err
		}
	}
	if err := x.finish(ctx, elements); err != nil {
		return weir.Manifest{}, err
	}
	return readManifest(ctx, s, spec)
}

// localStep runs all tasks of one step, some at a time.
func (x *execution) localStep(ctx context.Context, index int, elements []element) ([]element, error) {
	var out []element
	parts := map[int][]element{}
	for _, e := range elements {
		if e.To == index {
			parts[e.At] = append(parts[e.At], e)
		} else {
			out = append(out, e)
		}
	}
	tasks := make([]work, 0, len(parts))
	for p, in := range parts {
		tasks = append(tasks, work{p, in})
	}
	largestFirst(tasks)
	sent := make([][]element, len(tasks))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cap(x.slots))
	for i, w := range tasks {
		g.Go(func() (err error) {
			sent[i], err = x.runTask(ctx, index, w.partition, w.in)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, s := range sent {
		out = append(out, s...)
	}
	return out, nil
}
