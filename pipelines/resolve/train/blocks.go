package train

import (
	"math"
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// withBlocks adds the records of drawn blocks that are not in the uniform sample,
// and finds out under which of the plan's keys each lies. Records that are alone
// in all their blocks are left out.
func (t *trainer) withBlocks(records []weir.Record, s *Sample) []weir.Record {
	if s.Plan == nil || len(s.Plan.Rules) == 0 {
		return records
	}
	t.plan = s.Plan
	for r := range t.plan.Rules {
		t.rules = append(t.rules, trainingRule{columns: t.columnsOfRule(r)})
	}
	known := make(map[string]struct{}, len(records))
	for i := range records {
		known[records[i].ID] = struct{}{}
	}
	more := make([]weir.Record, 0, len(s.Blocks))
	for i := range s.Blocks {
		if _, ok := known[s.Blocks[i].ID]; !ok {
			known[s.Blocks[i].ID] = struct{}{}
			more = append(more, s.Blocks[i])
		}
	}
	all := append(records, inOrder(more, t.opts.Seed)...)
	keys := t.plan.keys(t, all)
	company := t.company(keys)
	kept := t.size
	for i := t.size; i < len(all); i++ {
		if company[i] {
			all[kept] = all[i]
			for r := range keys {
				keys[r][kept] = keys[r][i]
			}
			kept++
		}
	}
	for r := range keys {
		t.rules[r].hash = keys[r][:kept]
	}
	return all[:kept]
}

func (t *trainer) columnsOfRule(r int) (mask uint32) {
	for _, p := range t.plan.Rules[r].Parts {
		part := &t.plan.Parts[p]
		if c := slices.IndexFunc(t.cols, func(c model.Column) bool { return c.Name == part.Column && c.IsIdentifier == part.IsIdentifier }); c >= 0 {
			mask |= 1 << c
		}
	}
	return mask
}

// keys are the hashes of the keys of records, by rule.
func (p *Plan) keys(t *trainer, records []weir.Record) [][]uint64 {
	keys := make([][]uint64, len(p.Rules))
	for r := range keys {
		keys[r] = make([]uint64, len(records))
	}
	const piece = 1 << 12
	t.parallel((len(records)+piece-1)/piece, func(n int) {
		g := p.Gatherer()
		for i := n * piece; i < min((n+1)*piece, len(records)); i++ {
			for r, k := range g.Keys(&records[i]) {
				keys[r][i] = k
			}
		}
	})
	return keys
}

// company says which records share a drawn key with another.
func (t *trainer) company(keys [][]uint64) []bool {
	below := t.plan.below()
	met := make([]atomic.Bool, len(keys[0]))
	t.parallel(len(keys), func(r int) {
		first := map[uint64]int{}
		for i, k := range keys[r] {
			if k == 0 || k > below {
				continue
			}
			if j, ok := first[k]; ok {
				met[i].Store(true)
				met[j].Store(true)
			} else {
				first[k] = i
			}
		}
	})
	out := make([]bool, len(met))
	for i := range met {
		out[i] = met[i].Load()
	}
	return out
}

// gathered are the pairs of the blocks that the sample's plan drew, each with the
// number of pairs of the table that it stands for, in pairs of the average.
func (t *trainer) gathered() ([]pair, []float64) {
	pairs, thinned := t.thin(t.enumerate())
	weight := make([]float64, len(pairs))
	for k := range pairs {
		if weight[k] = 1; thinned != nil {
			weight[k] = thinned[k]
		}
		t.sampled += weight[k]
		weight[k] /= t.plan.keep(bits.OnesCount64(pairs[k].rules))
		t.stands += weight[k]
	}
	// One pair counts as one on average, or guesses would count for nothing.
	for k := range weight {
		weight[k] *= t.sampled / t.stands
	}
	return pairs, weight
}

// keep is the chance that a pair that agrees on so many rules is in the sample.
func (p *Plan) keep(rules int) float64 { return 1 - math.Pow(1-p.Share, float64(rules)) }
