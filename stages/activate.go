package stages

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
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
	Consents    int64            `json:"consents"`          // snapshot of core.consents that was decided on
	Decided     map[string]int64 `json:"decided,omitempty"` // all snapshots that were; nil: not known
	Chunks      []chunkInfo      `json:"chunks"`
	PlannedAt   time.Time        `json:"planned_at"` // by the clock
	// Plan is the file of the chunks, named by what it was planned from: an attempt that
	// was given up and goes on later writes another one. "": plan.parquet, before that.
	Plan string `json:"plan,omitempty"`
}

// planKey is where the chunks are.
func (sp activateSpec) planKey(j journal) string { return j.key(cmp.Or(sp.Plan, "plan.parquet")) }

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
	wanted, err := a.comparisons(ctx, p, part, pins)
	if err != nil {
		return plan, err
	}
	decided, err := a.decidedOn(ctx, pins["activation.audience"])
	if err != nil {
		return plan, err
	}
	from, err := digest(pins)
	if err != nil {
		return plan, err
	}
	sp := activateSpec{Run: run, Destination: part, Pins: pins, Consents: decided[consentsTable], Decided: decided, Plan: "plan-" + from + ".parquet"}
	sp.Chunks, err = a.planDifference(ctx, run, wanted, pins, sp.planKey(j))
	if err != nil {
		return plan, err
	}
	if len(sp.Chunks) == 0 {
		return weir.StagePlan{Unchanged: true}, nil
	}
	sp.PlannedAt = a.Clock()
	return plan, a.writeOnce(ctx, plan.Spec, sp)
}

// decidedOn are the snapshots of tables that this snapshot of the audience was decided
// on, not what a later decision knew (another run may decide meanwhile); nil if
// that is not known any more, so that everybody is checked.
func (a *activate) decidedOn(ctx context.Context, audience int64) (map[string]int64, error) {
	runs, err := a.Lake.Runs(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Backward(runs) {
		if r.Stage != weir.Decide || r.Status == Failed || r.Status == Unchanged || r.Snapshots["activation.audience"] != audience {
			continue
		}
		var sp decideSpec
		err := a.readJSON(ctx, runPrefix(weir.Run{ID: r.RunID}, weir.Decide, "")+"spec.json", &sp)
		if weir.CodeOf(err) == weir.NotFound {
			return nil, nil
		}
		return sp.Pins, err
	}
	return nil, nil
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

// comparisons are the differences that a destination's run takes: its
// activations, and those that left it (gone from the project, or moved to another
// destination), which are emptied (invariant 7). One that moved here waits until
// its old destination is empty.
func (a *activate) comparisons(ctx context.Context, p *project.Project, destination string, pins map[string]int64) ([]comparison, error) {
	last, err := a.lastDestinations(ctx, pins)
	if err != nil {
		return nil, err
	}
	var out []comparison
	for _, def := range activationsOf(p, destination) {
		c := comparison{ActivationDef: def}
		if at, held := last[def.Name]; held && at != destination {
			if _, reachable := p.Destination(at); reachable && def.Mode != weir.AppendOnly {
				continue
			}
			c.Anew = true
		}
		out = append(out, c)
	}
	for _, name := range slices.Sorted(maps.Keys(last)) {
		if def, ok := p.Activation(name); last[name] != destination || (ok && def.Destination == destination) {
			continue
		}
		out = append(out, comparison{ActivationDef: weir.ActivationDef{Name: name, Destination: destination, Mode: weir.Mirror}, Empty: true})
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
	if _, ok := d.dest.(connectors.Finisher); ok {
		if err := j.mark(ctx, publishesMark); err != nil {
			return "", err
		}
	}
	total := 0
	for _, c := range sp.Chunks {
		total += c.Rows
	}
	done := 0
	for _, removals := range []bool{true, false} { // of all activations first (invariant 7)
		for i, c := range sp.Chunks {
			if c.Removals != removals {
				continue
			}
			if err := d.chunk(ctx, i); err != nil {
				return "", err
			}
			done += c.Rows
			progress(weir.Progress{Done: int64(done), Total: int64(total), Unit: "rows", Note: c.Activation})
		}
	}
	if err := d.finish(ctx); err != nil {
		return "", err
	}
	return key, nil
}

func (a *activate) Commit(ctx context.Context, key string) (weir.StageRun, error) {
	var sp activateSpec
	if err := a.readJSON(ctx, key, &sp); weir.CodeOf(err) == weir.NotFound {
		return a.settled(ctx, key, err)
	} else if err != nil {
		return weir.StageRun{}, err
	}
	j := journal{House: a.House, destination: sp.Destination, run: sp.Run.ID}
	row, err := j.settle(ctx, sp)
	if err != nil {
		return row, err
	}
	return row, j.discard(ctx)
}

// settled finds the row of a run whose journal is gone because it was committed
// before a crash that hid the answer.
func (a *activate) settled(ctx context.Context, key string, missing error) (weir.StageRun, error) {
	runs, err := a.Lake.Runs(ctx)
	if err != nil {
		return weir.StageRun{}, err
	}
	for _, r := range slices.Backward(runs) {
		if r.Stage == weir.Activate && r.Status != Failed && (journal{destination: r.Part, run: r.RunID}).key("spec.json") == key {
			return r, nil
		}
	}
	return weir.StageRun{}, missing
}

func (a *activate) Keep(ctx context.Context, run weir.Run, part string) (weir.StageRun, error) {
	return a.keep(ctx, run, weir.Activate, part)
}

func (a *activate) Fail(ctx context.Context, run weir.Run, part, cause string) error {
	return a.fail(ctx, run, weir.Activate, part, cause)
}
