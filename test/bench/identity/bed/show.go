package bed

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

func show(m *model.Model, rep *train.Report) {
	for _, p := range rep.Columns {
		fmt.Printf("  column %-16s id=%v n=%d distinct=%d repeat=%.5f %s (%s)\n", p.Name, p.IsIdentifier, p.Records, p.Distinct, p.Repeat, p.Chosen, p.Why)
	}
	for _, c := range m.Columns {
		fmt.Printf("  %s (%s %s) complete %.2f blank %d rare 2^-%.1f\n", c.Name, c.Kind, c.Role, c.Complete, len(c.Blank), float64(c.TF.Rare)/model.Quantum)
		for _, w := range c.With {
			name := "names"
			if w.Parent < len(m.Columns) {
				name = m.Columns[w.Parent].Name
			}
			fmt.Printf("      with %s tied %.5f lift %.2f nested %v levels %.5f\n", name, w.Tied, w.Lift, w.Nested, w.Levels)
		}
		for _, l := range c.Levels {
			fmt.Printf("      %-24s m %.5f u %.7f  %+.1f\n", l.Name, l.M, l.U, math.Log2(l.M/l.U))
		}
	}
	for _, c := range m.Classes {
		fmt.Printf("  class %-10s match=%v prior 2^%.1f", c.Name, c.Match, math.Log2(c.Prior))
		for i, s := range c.Shared {
			fmt.Printf("  %s %.2f", m.Columns[i].Name, s)
		}
		fmt.Println()
	}
	for _, r := range rep.Rules {
		fmt.Printf("  rule %-40s pairs %10.0f matches %.3f added %.4f\n", r.Name, r.Pairs, r.Matches, r.Added)
	}
	fmt.Printf("  training pairs %d, iterations %d, matches %.0f, notes %v\n", rep.Pairs, rep.Iterations, rep.Matches, rep.Notes)
}

func showPlan(s *train.Sample) {
	fmt.Printf("  plan: %.4f of the keys, %d records in blocks\n", s.Plan.Share, len(s.Blocks))
	for _, r := range s.Plan.Rules {
		fmt.Printf("    skips %d:", len(r.Skip))
		for _, p := range r.Parts {
			fmt.Printf(" %+v", s.Plan.Parts[p])
		}
		fmt.Println()
	}
}

// errors prints wrong and missed pairs with their waterfalls.
func (r *Result) errors(threshold float64) {
	found := r.solve(threshold)
	direct := map[[2]int32]float32{}
	for _, s := range r.scored {
		direct[[2]int32{s.a, s.b}] = s.score
	}
	print := func(kind string, a, b int32) {
		sc, cand := direct[[2]int32{min(a, b), max(a, b)}]
		fmt.Printf("%s candidate=%v score %.1f\n   %s\n   %s\n   ", kind, cand, sc, text(&r.set.Records[a]), text(&r.set.Records[b]))
		for _, st := range r.Model.Waterfall(&r.fs[a], &r.fs[b]) {
			if st.Level != "missing" {
				fmt.Printf(" %s/%s %+.1f", st.Comparison, st.Level, st.Weight)
			}
		}
		fmt.Printf(" = %.1f\n", r.Model.Score(&r.fs[a], &r.fs[b]))
	}
	n := 0
	for _, s := range r.scored {
		if float64(s.score) >= threshold && r.set.Truth[s.a] != r.set.Truth[s.b] {
			if n++; n <= r.opts.Errors {
				print("WRONG", s.a, s.b)
			}
		}
	}
	by := map[int32][]int32{}
	for i, e := range r.set.Truth {
		by[e] = append(by[e], int32(i))
	}
	missed, near, uncandidate, below := 0, 0, 0, 0
	for _, e := range slices.Sorted(maps.Keys(by)) {
		for i, a := range by[e] {
			for _, b := range by[e][i+1:] {
				if found[a] == found[b] {
					continue
				}
				missed++
				_, cand := direct[[2]int32{min(a, b), max(a, b)}]
				sc := r.Model.Score(&r.fs[a], &r.fs[b])
				switch {
				case sc >= threshold && !cand:
					uncandidate++
				case sc < threshold && sc >= threshold-6:
					near++
				default:
					below++
				}
				if missed <= r.opts.Errors*20 && missed%20 == 0 {
					print("MISSED", a, b)
				}
			}
		}
	}
	fmt.Printf("wrong direct links %d; missed pairs %d: %d not candidates, %d within 6 bits of the threshold, %d far below\n", n, missed, uncandidate, near, below)
}

func text(r *weir.Record) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(r.Attributes)) {
		fmt.Fprintf(&b, "%s=%s ", k, r.Attributes[k])
	}
	for _, k := range slices.Sorted(maps.Keys(r.Identifiers)) {
		fmt.Fprintf(&b, "@%s=%v ", k, r.Identifiers[k])
	}
	return b.String()
}

// blind renames all columns, so that only their content tells what they are.
func blind(s *Set) *Set {
	names := map[string]string{}
	out := &Set{Truth: s.Truth}
	for _, r := range s.Records {
		for _, k := range slices.Sorted(maps.Keys(r.Attributes)) {
			if names[k] == "" {
				names[k] = fmt.Sprintf("c%02d", (len(names)*7+3)%50)
			}
		}
		c := r
		c.Attributes = map[string]string{}
		for k, v := range r.Attributes {
			c.Attributes[names[k]] = v
		}
		out.Records = append(out.Records, c)
	}
	return out
}
