package resolve

import (
	"context"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

// gatherBlocks reads the records again for those in the blocks that were drawn.
func gatherBlocks(ctx context.Context, t *pipelines.Task) error {
	p, err := pipelines.Params[TrainParams](t)
	if err != nil {
		return err
	}
	r, err := compiled(t, p.Identity)
	if err != nil {
		return err
	}
	w := wanted{of: map[weir.Kind]*gathered{}, columns: map[string]bool{"record_id": true, "kind": true, "source": true, "identifiers": true}}
	for _, kind := range []weir.Kind{weir.Person, weir.Account} {
		plan, err := readPlan(ctx, t, kind)
		if err != nil {
			return err
		}
		if plan != nil {
			w.add(kind, plan)
		}
	}
	if len(w.of) == 0 {
		return nil
	}
	return each(pipelines.Chosen[weir.Record](ctx, t, func(c string) bool { return w.columns[c] }, w.look), func(rec weir.Record) error {
		// Blocked values make no block.
		usable := r.Usable(&rec)
		if !w.of[rec.Kind].Keep(usable) {
			return nil
		}
		return pipelines.Emit(t, "block", partitionOfKind(rec.Kind), packSample(usable))
	})
}

// wanted chooses the rows that may be in blocks. Few are: so they are looked for
// in the columns as they were read, and only they become records.
type wanted struct {
	of      map[weir.Kind]*gathered
	columns map[string]bool // that are read: training compares no other
}

type gathered struct {
	*train.Gatherer
	plan  *train.Plan
	texts []func(row int) string // by part; nil: of an identifier
}

func (w *wanted) add(kind weir.Kind, plan *train.Plan) {
	w.of[kind] = &gathered{Gatherer: plan.Gatherer(), plan: plan, texts: make([]func(int) string, len(plan.Parts))}
	for i := range plan.Parts {
		if !plan.Parts[i].IsIdentifier {
			w.columns[plan.Parts[i].Column] = true
		}
	}
}

func (w *wanted) look(v *pipelines.View, chosen []bool) error {
	kind, err := v.Text("kind")
	if err != nil {
		return err
	}
	first, err := v.First("identifiers")
	if err != nil {
		return err
	}
	for _, g := range w.of {
		for i := range g.plan.Parts {
			if g.plan.Parts[i].IsIdentifier {
				continue
			}
			if g.texts[i], err = v.Text(g.plan.Parts[i].Column); err != nil {
				return err
			}
		}
	}
	var g *gathered
	row := 0
	read := func(part int) (string, int) {
		if g.texts[part] != nil {
			return g.texts[part](row), 1
		}
		return first(row, g.plan.Parts[part].Column)
	}
	for row = range chosen {
		if g = w.of[weir.Kind(kind(row))]; g != nil {
			chosen[row] = g.May(read)
		}
	}
	return nil
}
