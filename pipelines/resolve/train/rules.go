package train

import (
	"math"
	"math/bits"
	"slices"

	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// Blocking budget: pairs that are compared for each record of the table, and for
// small tables in all.
const (
	pairsPerRecord = 12
	pairsAnyway    = 3_000_000
	maxRules       = 14
	maxBlock       = 100
)

// RuleReport is one blocking rule of the report.
type RuleReport struct {
	Name    string  `json:"name"`
	Pairs   float64 `json:"pairs"`   // expected in the table
	Matches float64 `json:"matches"` // share of the matches that it finds
	Added   float64 `json:"added"`   // share that rules before it did not find
}

// chooseRules takes, again and again, the rule that finds most matches not yet
// found for its pairs (greedy set cover, Chvátal 1979), until the budget is
// spent or nothing is left.
func (t *trainer) chooseRules(as []atom, ts []trial, matches []pair, weight []float64) []RuleReport {
	n := float64(t.size)
	scale := float64(t.total) * float64(t.total-1) / max(n*(n-1), 1)
	left := max(pairsPerRecord*float64(t.total), pairsAnyway)
	total := 0.0
	for _, w := range weight {
		total += w
	}
	if total == 0 {
		return nil
	}
	cover := t.covers(as, ts, matches, scale, left)
	done := make(bitset, (len(matches)+63)/64)
	var out []RuleReport
	for len(t.content.Rules) < maxRules {
		best, value, added := -1, 0.0, 0.0
		for k := range ts {
			if cover[k] == nil || ts[k].pairs*scale > left {
				continue
			}
			g := cover[k].gain(done, weight)
			if g < 0.0004*total {
				cover[k] = nil // gains only fall
				continue
			}
			// A key costs every record something, besides its pairs.
			v := g / (ts[k].pairs*scale + 0.5*float64(t.total))
			if v > value {
				best, value, added = k, v, g
			}
		}
		if best < 0 {
			break
		}
		r := t.rule(as, &ts[best])
		r.Pairs = ts[best].pairs * scale
		left -= r.Pairs
		none := make(bitset, len(done))
		out = append(out, RuleReport{Name: r.Name, Pairs: r.Pairs, Matches: cover[best].gain(none, weight) / total, Added: added / total})
		t.content.Rules = append(t.content.Rules, r)
		for w := range done {
			done[w] |= cover[best][w]
		}
		cover[best] = nil
	}
	return out
}

// bitset is a set of matches, by their place.
type bitset []uint64

// gain is the weight of what a set holds and done does not.
func (s bitset) gain(done bitset, weight []float64) (g float64) {
	for w := range s {
		for b := s[w] &^ done[w]; b != 0; b &= b - 1 {
			g += weight[w*64+bits.TrailingZeros64(b)]
		}
	}
	return g
}

// covers finds which matches each rule brings together; nil: it has more pairs than
// the budget, where scale of the table's stand for one of the sample's.
func (t *trainer) covers(as []atom, ts []trial, matches []pair, scale, budget float64) []bitset {
	cover := make([]bitset, len(ts))
	t.parallel(len(ts), func(k int) {
		r := &ts[k]
		if (r.pairs+1)*scale > budget { // unseen pairs of a sample are not none in the table
			return
		}
		cover[k] = make(bitset, (len(matches)+63)/64)
		for i, p := range matches {
			if !slices.ContainsFunc(r.atoms, func(a int) bool {
				h := as[a].hash
				return h[p.a] == 0 || h[p.a] != h[p.b]
			}) {
				cover[k][i/64] |= 1 << (i % 64)
			}
		}
	})
	return cover
}

func (t *trainer) rule(as []atom, r *trial) model.Rule {
	var out model.Rule
	var used []int
	for i, a := range r.atoms {
		if i > 0 {
			out.Name += " + "
		}
		out.Name += t.cols[as[a].column].Name
		if as[a].transform != model.Whole {
			out.Name += ":" + as[a].transform
		}
		out.Parts = append(out.Parts, model.Part{Column: as[a].column, Transform: as[a].transform})
		used = append(used, as[a].column)
	}
	out.Second = t.second(used)
	return out
}

// second is the most selective column, by how often it is known and agrees among
// matches, that a rule does not use yet.
func (t *trainer) second(used []int) []model.Part {
	best, value := -1, math.Inf(-1)
	for c := range t.cols {
		if slices.Contains(used, c) {
			continue
		}
		x := &t.cols[c]
		if x.Levels[0].U > 0.2 {
			continue
		}
		v := x.Complete * x.Complete * x.Levels[0].M
		if v > value {
			best, value = c, v
		}
	}
	if best < 0 {
		return nil
	}
	return []model.Part{{Column: best, Transform: model.Whole}}
}
