package train

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// NewPlan makes a plan for a table of which s.Records is a uniform sample, so
// that it keeps about budget records (0: BlockBudget). It is nil where the sample
// is the table, or holds nothing that could be shared.
func NewPlan(s *Sample, def weir.IdentityDef, budget int, o Options) *Plan {
	if s.Total <= len(s.Records) || len(s.Records) < 2 {
		return nil
	}
	if budget <= 0 {
		budget = BlockBudget
	}
	records := inOrder(s.Records, o.Seed)
	p := &planner{plan: &Plan{Seed: o.Seed}, total: float64(s.Total), t: &trainer{opts: o}}
	report := &Report{Columns: p.t.profile(records)}
	cols := report.columns(def, records)
	for c := range cols {
		p.column(&cols[c])
	}
	if len(p.columns) == 0 {
		return nil
	}
	p.hash(records)
	p.candidates()
	p.choose(p.likely())
	if len(p.plan.Rules) == 0 {
		return nil
	}
	p.share(float64(budget))
	p.plan.tell(cols, report)
	return p.plan
}

// planner makes a plan.
type planner struct {
	t       *trainer
	plan    *Plan
	total   float64
	columns []int // of each part
	parts   [][]uint64
	agree   [][]float64 // chance that two records agree on two columns
	rules   []plannedRule
}

type plannedRule struct {
	PlanRule
	mask  uint32 // columns
	keys  []uint64
	held  float64 // records with a key
	pairs float64 // in the sample, without those of common keys
	every float64 // with them
}

func (p *planner) column(c *model.Column) {
	n := 0
	if len(p.columns) > 0 {
		n = p.columns[len(p.columns)-1] + 1
	}
	add := func(part PlanPart) {
		part.Column, part.IsIdentifier = c.Name, c.IsIdentifier
		p.plan.Parts, p.columns = append(p.plan.Parts, part), append(p.columns, n)
	}
	switch c.Kind {
	case "phone":
		add(PlanPart{End: 9})
	case "email":
		add(PlanPart{})
		add(PlanPart{Local: true})
	case "name", "text", "place", "postcode":
		add(PlanPart{})
		add(PlanPart{Start: 3})
	case "date":
		add(PlanPart{})
		add(PlanPart{Start: 4})
	default:
		add(PlanPart{})
	}
}

func (p *planner) hash(records []weir.Record) {
	p.parts = make([][]uint64, len(records))
	p.t.parallel(len(records), func(i int) { p.parts[i] = p.plan.partHashes(&records[i], nil) })
}

// candidates are for each column and each two columns the loosest rule within the
// bound of pairs.
func (p *planner) candidates() {
	var all []plannedRule
	for i := range p.columns {
		all = append(all, plannedRule{PlanRule: PlanRule{Parts: []int{i}}, mask: 1 << p.columns[i]})
		for j := i + 1; j < len(p.columns); j++ {
			if p.columns[i] != p.columns[j] {
				all = append(all, plannedRule{PlanRule: PlanRule{Parts: []int{i, j}}, mask: 1<<p.columns[i] | 1<<p.columns[j]})
			}
		}
	}
	n := min(len(p.parts), planCounted) // in an order that tells nothing: as good as random
	scale := p.total / float64(n)
	p.t.parallel(len(all), func(k int) { all[k].count(p, n) })
	p.chances(all)
	loosest := map[uint32]int{}
	for k := range all {
		if all[k].pairs < 1 || all[k].pairs*scale*scale > planPairs*p.total {
			continue
		}
		if old, ok := loosest[all[k].mask]; !ok || all[k].pairs > all[old].pairs {
			loosest[all[k].mask] = k
		}
	}
	for k := range all {
		if at, ok := loosest[all[k].mask]; ok && at == k {
			p.rules = append(p.rules, all[k])
		}
	}
	p.t.parallel(len(p.rules), func(k int) { p.rules[k].set(p) })
}

// chances are those of two records to agree on one and on two columns.
func (p *planner) chances(all []plannedRule) {
	p.agree = make([][]float64, p.columns[len(p.columns)-1]+1)
	for c := range p.agree {
		p.agree[c] = make([]float64, len(p.agree))
	}
	n := min(len(p.parts), planCounted)
	pairs := float64(n) * float64(n-1) / 2
	for k := range all {
		whole := true
		for _, i := range all[k].Parts {
			whole = whole && (i == 0 || p.columns[i] != p.columns[i-1]) // a column's first part
		}
		if whole {
			a, b := p.columns[all[k].Parts[0]], p.columns[all[k].Parts[len(all[k].Parts)-1]]
			p.agree[a][b] = (all[k].every + 0.5) / pairs
			p.agree[b][a] = p.agree[a][b]
		}
	}
}

func (r *plannedRule) at(p *planner, i int) uint64 {
	h := uint64(0)
	for n, k := range r.Parts {
		x := p.parts[i][k]
		if x == 0 {
			return 0
		}
		if h = x; n > 0 {
			h = model.Mix(p.parts[i][r.Parts[0]], x)
		}
	}
	return h
}

// count finds, among n records, the rule's pairs with and without its common keys.
func (r *plannedRule) count(p *planner, n int) {
	hs := make([]uint64, 0, n)
	for i := range n {
		if h := r.at(p, i); h != 0 {
			hs = append(hs, h)
		}
	}
	hs = sortedHashes(hs)
	scale := p.total / float64(n)
	for i := 0; i < len(hs); {
		j := i + 1
		for j < len(hs) && hs[j] == hs[i] {
			j++
		}
		n := float64(j - i)
		r.every += n * (n - 1) / 2
		if !common(j-i, scale) {
			r.pairs += n * (n - 1) / 2
		}
		i = j
	}
}

// common says of a key's count in the sample that its block in the table is
// likely too big to be compared.
func common(n int, scale float64) bool { return n > 4 && float64(n)*scale > maxPlanBlock }

// set finds the rule's keys as the plan hashes them, and those to skip.
func (r *plannedRule) set(p *planner) {
	one := &Plan{Seed: p.plan.Seed, Parts: p.plan.Parts, Rules: []PlanRule{r.PlanRule}}
	r.keys = make([]uint64, len(p.parts))
	for i := range p.parts {
		r.keys[i] = one.key(0, p.parts[i])
	}
	sorted := sortedHashes(r.keys)
	scale := p.total / float64(len(p.parts))
	for i := 0; i < len(sorted); {
		j := i + 1
		for j < len(sorted) && sorted[j] == sorted[i] {
			j++
		}
		if sorted[i] != 0 && common(j-i, scale) {
			r.Skip = append(r.Skip, sorted[i])
		}
		i = j
	}
	for i, k := range r.keys {
		if _, skip := slices.BinarySearch(r.Skip, k); skip {
			r.keys[i] = 0
		}
		if r.keys[i] != 0 {
			r.held++
		}
	}
}

// likely are the pairs of the sample that look like matches, by the rules that
// find each: those that agree on more than chance gives to one pair in as many as
// the table has records.
func (p *planner) likely() []uint64 {
	// Rules with few pairs first: no more than a mask holds are of use.
	slices.SortStableFunc(p.rules, func(a, b plannedRule) int { return cmp.Compare(a.pairs, b.pairs) })
	p.rules = p.rules[:min(len(p.rules), 64)]
	keys := make([][]uint64, len(p.rules))
	for k := range p.rules {
		keys[k] = p.rules[k].keys
	}
	least := math.Log2(p.total)
	of := map[uint32]bool{} // by the columns that agree
	var out []uint64
	for _, found := range sharing(p.t, keys, math.MaxUint64) {
		for _, x := range found {
			mask := uint32(0)
			for m := x.rules; m != 0; m &= m - 1 {
				mask |= p.rules[bits.TrailingZeros64(m)].mask
			}
			ok, known := of[mask]
			if !known {
				ok = p.surprise(mask) > least
				of[mask] = ok
			}
			if ok {
				out = append(out, x.rules)
			}
		}
	}
	slices.Sort(out)
	return out
}

// surprise is how unlikely strangers agree on some columns, in bits: each as
// unlikely as it is where a commoner one that is among them agrees (the tree of
// Chow and Liu 1968).
func (p *planner) surprise(mask uint32) float64 {
	sum := 0.0
	for c := range p.agree {
		if mask&(1<<c) == 0 {
			continue
		}
		least := -math.Log2(p.agree[c][c])
		for a := range p.agree {
			if a != c && mask&(1<<a) != 0 && (p.agree[a][a] > p.agree[c][c] || p.agree[a][a] == p.agree[c][c] && a < c) {
				least = min(least, -math.Log2(p.agree[a][c]/p.agree[a][a]))
			}
		}
		sum += max(least, 0)
	}
	return sum
}

// ruleSet is how many pairs are found by the same rules, and how many of these are
// taken.
type ruleSet struct {
	rules   uint64
	pairs   int
	covered int
}

// alike counts pairs by the rules that find them; the masks come sorted.
func alike(masks []uint64) (sets []ruleSet) {
	for i, m := range masks {
		if i == 0 || m != masks[i-1] {
			sets = append(sets, ruleSet{rules: m})
		}
		sets[len(sets)-1].pairs++
	}
	return sets
}

// choose takes the rules that find most of the likely pairs, each some times
// over, for the fewest records (greedy multi-cover, Dobson 1982).
func (p *planner) choose(likely []uint64) {
	sets := alike(likely)
	taken := uint64(0)
	for len(p.plan.Rules) < planRules {
		best, value := -1, 0.0
		for k := range p.rules {
			if taken&(1<<k) != 0 {
				continue
			}
			gain := 0.0
			for i := range sets {
				if s := &sets[i]; s.rules&(1<<k) != 0 && s.covered < planCover {
					gain += float64(s.pairs)
				}
			}
			// A rule costs its records, but not so little that it finds next to nothing.
			if v := gain / (p.rules[k].held + 0.1*float64(len(p.parts))); gain > 0.002*float64(len(likely)) && v > value {
				best, value = k, v
			}
		}
		if best < 0 {
			break
		}
		taken |= 1 << best
		p.plan.Rules = append(p.plan.Rules, p.rules[best].PlanRule)
		for i := range sets {
			if sets[i].rules&(1<<best) != 0 {
				sets[i].covered++
			}
		}
	}
	var kept []plannedRule
	for k := range p.rules {
		if taken&(1<<k) != 0 {
			kept = append(kept, p.rules[k])
		}
	}
	p.rules = kept
}

// share sets how many keys are drawn: as many as keep the budget.
func (p *planner) share(budget float64) {
	held := make([]int, len(p.rules)+1) // records by their number of keys
	for i := range p.parts {
		n := 0
		for k := range p.rules {
			if p.rules[k].keys[i] != 0 {
				n++
			}
		}
		held[n]++
	}
	lo, hi := 0.0, 1.0
	for range 50 {
		mid := (lo + hi) / 2
		sum := 0.0
		for n, records := range held {
			sum += float64(records) * (1 - math.Pow(1-mid, float64(n)))
		}
		if sum*p.total/float64(len(p.parts)) > budget {
			hi = mid
		} else {
			lo = mid
		}
	}
	p.plan.Share = hi
}
