package stages

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/weir-cdp/weir"
)

// result closes what a run wrote and says what became of whom.
func (x *deciding) result(ctx context.Context) (result, error) {
	counts := map[string]int64{"rows_in": x.rows}
	r := result{Manifest: weir.Manifest{Run: x.sp.Run, Stage: weir.Decide, Counts: counts}, Follows: map[string]string{followsPolicy: x.sp.Policy, followsLedger: x.sp.Ledger}}
	if x.shadowed != "" {
		r.Follows[followsShadow] = x.shadowed
	}
	if x.sp.Broken != "" {
		r.Status, r.Problem = Partial, "nobody was decided on, since the policy can't be used: "+x.sp.Broken
	}
	files, err := x.decisions.Close()
	if err != nil {
		return r, err
	}
	for _, f := range files {
		counts["decisions"] += f.Rows
	}
	for _, a := range x.activations {
		kept, err := a.out.Close()
		if err != nil {
			return r, err
		}
		back, err := a.back.Close()
		if err != nil {
			return r, err
		}
		r.Tables = append(r.Tables, weir.TableFiles{Table: "activation.audience", Scope: a.def.Name, Replace: true, Files: kept},
			weir.TableFiles{Table: heldBackTable, Scope: a.def.Name, Replace: true, Files: back})
		for reason, n := range a.counts {
			counts[a.def.Name+"."+reason] = n
			counts["held_back"] += n
		}
		if a.decider == nil {
			counts[a.def.Name+".standing"] = a.standing
			continue
		}
		stats := a.decider.Stats()
		counts["rows_out"] += stats.Allowed
		counts["classes"] += stats.Classes
		counts["evaluations"] += stats.Evaluations
		counts[a.def.Name+".allow"] = stats.Allowed
		counts[a.def.Name+".deny"] = stats.Rows - stats.Allowed
		counts[a.def.Name+".no_key"] = a.keyless
		if problem := a.shadow.count(a.def.Name, counts); problem != "" {
			x.Log.Warn("the revision in shadow could not be asked", "activation", a.def.Name, "why", problem)
		}
		for code, n := range stats.Reasons {
			counts[a.def.Name+"."+code] = n
		}
		if len(stats.Faults) > 0 && r.Problem == "" {
			r.Status, r.Problem = Partial, fmt.Sprintf("rows of activation %s were denied, since no policy could answer for them: %s", a.def.Name, stats.Faults[0])
		}
		if err := x.keepClasses(a.decider.Drain()); err != nil {
			return r, err
		}
	}
	classFiles, err := x.newClasses.Close()
	r.Tables = append(r.Tables, weir.TableFiles{Table: "consent.decisions", Files: files}, weir.TableFiles{Table: "consent.classes", Files: classFiles})
	gone, gerr := x.withdrawn(ctx)
	r.Tables = append(r.Tables, gone...)
	if err == nil {
		err = gerr
	}
	return r, err
}

// withdrawn empties the audience of activations that the project no longer has,
// so that what they delivered is removed; nobody is held back from them either.
func (x *deciding) withdrawn(ctx context.Context) ([]weir.TableFiles, error) {
	var out []weir.TableFiles
	for _, table := range []string{"activation.audience", heldBackTable} {
		scopes, err := x.Lake.ByScope(ctx, table, x.sp.Pins[table])
		if err != nil && weir.CodeOf(err) != weir.NotFound {
			return nil, err
		}
		for _, s := range slices.Sorted(maps.Keys(scopes)) {
			if _, ok := x.p.Activation(s); !ok {
				out = append(out, weir.TableFiles{Table: table, Scope: s, Replace: true})
			}
		}
	}
	return out, nil
}
