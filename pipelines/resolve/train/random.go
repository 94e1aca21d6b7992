package train

import (
	"math"
	"math/bits"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// randomPairs is how many random pairs u is counted on. Where all pairs of the
// sample are at most allPairs, they are all taken.
const (
	randomPairs = 200_000
	allPairs    = 600_000
)

// observed is one compared pair.
type observed struct {
	level [model.MaxColumns]uint8
	tf    [model.MaxColumns]float32 // frequency of the value that agrees; 0: none
	free  uint32                    // columns that some training rule that found the pair does not use
}

// random draws pairs, or takes all where there are few. The records are in the
// order of their ids' hashes, so the draw depends on the set alone.
func (t *trainer) random() []pair {
	n := t.size
	if n*(n-1)/2 <= allPairs {
		return t.all()
	}
	out := make([]pair, randomPairs)
	for k := range out {
		h := model.Mix(t.opts.Seed^0x5eed, uint64(k))
		i := int(h % uint64(n))
		j := int(model.Mix(h, 1) % uint64(n-1))
		if j >= i {
			j++
		}
		out[k] = pair{a: int32(i), b: int32(j)}
	}
	return out
}

func (t *trainer) all() []pair {
	n := t.size
	out := make([]pair, 0, n*(n-1)/2)
	for i := range n {
		for j := i + 1; j < n; j++ {
			out = append(out, pair{a: int32(i), b: int32(j)})
		}
	}
	return out
}

func (t *trainer) observe(p *pair, o *observed) {
	var l model.Levels
	t.model.Compare(&t.features[p.a], &t.features[p.b], &l)
	o.take(&l, len(t.cols))
}

func (o *observed) take(l *model.Levels, n int) {
	for c := range n {
		o.level[c] = uint8(l.Of[c])
		o.tf[c] = float32(l.TF[c])
	}
}

// reprice sets the frequencies anew.
func (t *trainer) reprice(p *pair, o *observed) {
	var l model.Levels
	for c := range t.cols {
		l.Of[c] = compare.Level(o.level[c])
	}
	t.model.Reprice(&t.features[p.a], &t.features[p.b], &l)
	o.take(&l, len(t.cols))
}

// seen are compared pairs: those that look the same are one, with a weight.
type seen struct {
	pairs  []pair
	all    []observed // of pairs
	weight []float64  // of pairs; nil: 1
	of     []observed // distinct
	times  []float64
	u      []float64 // of each of the distinct, by column: what maximise does not change; nil: not known
}

// look compares pairs.
func (t *trainer) look(pairs []pair, weight []float64) *seen {
	s := &seen{pairs: pairs, weight: weight, all: make([]observed, len(pairs))}
	without := t.without()
	t.parallel(len(pairs), func(k int) {
		t.observe(&pairs[k], &s.all[k])
		for c := range t.cols {
			if pairs[k].rules&without[c] != 0 {
				s.all[k].free |= 1 << c
			}
		}
	})
	s.merge(len(t.cols))
	return s
}

// again sets the frequencies of pairs anew.
func (t *trainer) again(s *seen) {
	t.parallel(len(s.pairs), func(k int) { t.reprice(&s.pairs[k], &s.all[k]) })
	s.merge(len(t.cols))
}

// merge finds the distinct among all, in the order in which they come first.
func (s *seen) merge(columns int) {
	// A table of their places, open addressing with linear probing: a map would hash
	// and compare twice as much.
	slots := make([]int32, 1<<bits.Len(uint(2*len(s.all))))
	mask := uint64(len(slots) - 1)
	s.of, s.times, s.u = s.of[:0], s.times[:0], nil
	for k := range s.all {
		w := 1.0
		if s.weight != nil {
			w = s.weight[k]
		}
		o := &s.all[k]
		at := o.hash(columns) & mask
		for slots[at] != 0 && s.of[slots[at]-1] != *o {
			at = (at + 1) & mask
		}
		if slots[at] == 0 {
			s.of, s.times = append(s.of, *o), append(s.times, 0)
			slots[at] = int32(len(s.of))
		}
		s.times[slots[at]-1] += w
	}
}

func (o *observed) hash(columns int) uint64 {
	h := uint64(o.free)
	for c := range columns {
		h = model.Mix(h, uint64(o.level[c])<<32|uint64(math.Float32bits(o.tf[c])))
	}
	return h
}

// countU counts each level among random pairs, each pair by the chance that it
// is no match.
func (t *trainer) countU(s *seen) {
	n := make([][16]float64, len(t.cols))
	for i := range s.of {
		o := &s.of[i]
		w := s.times[i]
		if t.ready {
			w *= 1 - t.posterior(o)
		}
		for c := range t.cols {
			n[c][o.level[c]] += w
		}
	}
	for c := range t.cols {
		ls := t.cols[c].Levels
		sum := 0.0
		for l := range ls {
			sum += n[c][l]
		}
		for l := range ls {
			// Half a pair for what was never seen.
			ls[l].U = (n[c][l] + 0.5) / (sum + 0.5*float64(len(ls)))
			ls[l].Seen = ls[l].U
		}
	}
}

// startM is a first guess: most values of a match agree, few are alike, and
// some differ.
func startM(c *model.Column) {
	k, _ := compare.KindOf(c.Kind)
	n := len(compare.Levels(k))
	for l := range c.Levels {
		switch {
		case l == 0:
			c.Levels[l].M = 0.8
		case l >= n-1:
			c.Levels[l].M = 0.1 / float64(len(c.Levels)-n+1)
		default:
			c.Levels[l].M = 0.1 / float64(max(n-2, 1))
		}
	}
	if n == 2 {
		c.Levels[0].M = 0.9
	}
}
