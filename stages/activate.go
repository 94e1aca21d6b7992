package stages

import (
	"context"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/project"
)

// activate sends to one destination (the part) the difference between what was
// decided and what it holds.
type activate struct{ *House }

// activateSpec is one destination's deliveries of one run. It lives in the
// destination's journal: see journal.go.
type activateSpec struct {
	Run         weir.Run         `json:"run"`
	Destination string           `json:"destination"`
	Pins        map[string]int64 `json:"pins"`
	Chunks      []chunkInfo      `json:"chunks"`
}

func (a *activate) Plan(ctx context.Context, run weir.Run, part string) (weir.StagePlan, error) {
	j := journal{House: a.House, destination: part, run: run.ID}
	plan := weir.StagePlan{Spec: j.key("spec.json")}
	if done, err := a.planned(ctx, plan.Spec); done || err != nil {
		return plan, err
	}
	if err := a.settleOthers(ctx, run, part); err != nil {
		return plan, err
	}
	p, err := a.project(ctx, run.Project)
	if err != nil {
		return plan, err
	}
	for _, t := range []string{"activation.state", "activation.deliveries"} {
		if _, err := a.Lake.Ensure(ctx, schema.Named(t)); err != nil {
			return plan, err
		}
	}
	pins, err := a.Lake.Pins(ctx)
	if err != nil {
		return plan, err
	}
	if pins["activation.audience"] == 0 {
		return weir.StagePlan{Unchanged: true}, nil // nobody was ever decided on
	}
	activations, err := a.abandoned(ctx, p, part, pins)
	if err != nil {
		return plan, err
	}
	chunks, err := a.planDifference(ctx, run, append(activationsOf(p, part), activations...), pins, j.key("plan.parquet"))
	if err != nil {
		return plan, err
	}
	if len(chunks) == 0 {
		return weir.StagePlan{Unchanged: true}, nil
	}
	return plan, a.writeJSON(ctx, plan.Spec, activateSpec{Run: run, Destination: part, Pins: pins, Chunks: chunks})
}

func activationsOf(p *project.Project, destination string) []weir.ActivationDef {
	var out []weir.ActivationDef
	for _, a := range p.Activations {
		if a.Destination == destination {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(x, y weir.ActivationDef) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// abandoned finds activations that the project no longer has and that left rows
// at this destination: they are removed (invariant 7).
func (a *activate) abandoned(ctx context.Context, p *project.Project, destination string, pins map[string]int64) ([]weir.ActivationDef, error) {
	scopes, err := a.Lake.ByScope(ctx, "activation.state", pins["activation.state"])
	if err != nil {
		return nil, err
	}
	var gone []string
	for name := range scopes {
		if now, ok := p.Activation(name); !ok || now.Destination != destination {
			gone = append(gone, name)
		}
	}
	if len(gone) == 0 {
		return nil, nil
	}
	sess, _, err := a.attached(ctx, differenceTables, pins)
	if err != nil {
		return nil, err
	}
	defer sess.Close()
	var out []weir.ActivationDef
	slices.Sort(gone)
	for _, name := range gone {
		if _, ok := p.Activation(name); ok {
			continue // it moved to another destination, which settles it by its own difference
		}
		last, err := column[string](ctx, sess, "select max_by(destination, \"at\") from activation.deliveries where activation = "+literals([]string{name}))
		if err != nil {
			return nil, err
		}
		if len(last) > 0 && last[0] == destination {
			out = append(out, weir.ActivationDef{Name: name, Destination: destination, Mode: weir.Mirror})
		}
	}
	return out, nil
}

func (a *activate) Run(ctx context.Context, key string, progress func(weir.Progress)) (string, error) {
	var sp activateSpec
	if err := a.readJSON(ctx, key, &sp); err != nil {
		return "", err
	}
	j := journal{House: a.House, destination: sp.Destination, run: sp.Run.ID}
	d, err := a.delivering(ctx, sp, j)
	if err != nil {
		return "", err
	}
	defer d.dest.Close()
	total := 0
	for _, c := range sp.Chunks {
		total += c.Rows
	}
	done := 0
	for i, c := range sp.Chunks {
		if err := d.chunk(ctx, i); err != nil {
			return "", err
		}
		done += c.Rows
		progress(weir.Progress{Done: int64(done), Total: int64(total), Unit: "rows", Note: c.Activation})
	}
	if err := d.finish(ctx); err != nil {
		return "", err
	}
	return key, nil
}

func (a *activate) Commit(ctx context.Context, key string) (weir.StageRun, error) {
	var sp activateSpec
	if err := a.readJSON(ctx, key, &sp); err != nil {
		return weir.StageRun{}, err
	}
	j := journal{House: a.House, destination: sp.Destination, run: sp.Run.ID}
	row, err := j.settle(ctx, sp)
	if err != nil {
		return row, err
	}
	return row, j.discard(ctx)
}

func (a *activate) Keep(ctx context.Context, run weir.Run, part string) (weir.StageRun, error) {
	return a.keep(ctx, run, weir.Activate, part)
}

func (a *activate) Fail(ctx context.Context, run weir.Run, part, cause string) error {
	return a.fail(ctx, run, weir.Activate, part, cause)
}
