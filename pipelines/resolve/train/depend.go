package train

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// within is how many pairs are drawn among those that agree on one column.
const within = 15_000

// minGain is the dependence, in bits that would be counted twice, below which it
// is not modelled.
const minGain = 0.3

// agreeing draws pairs whose values of each column are equal: what strangers who
// share a town, or a name, share beside it.
func (t *trainer) agreeing() []*seen {
	out := make([]*seen, model.Names+1)
	t.parallel(len(t.cols), func(c int) {
		out[c] = t.drawn(c, func(i int32) uint64 {
			if t.features[i].Values[c].Missing() {
				return 0
			}
			return uint64(t.hashes[int(i)*len(t.cols)+c]) + 1
		})
	})
	if t.given >= 0 && t.family >= 0 {
		out[model.Names] = t.drawn(model.Names, func(i int32) uint64 {
			vs := t.features[i].Values
			if vs[t.given].Missing() || vs[t.family].Missing() {
				return 0
			}
			at := int(i) * len(t.cols)
			return max(model.Mix(uint64(t.hashes[at+t.given]), uint64(t.hashes[at+t.family])), 1)
		})
	}
	return out
}

// drawn draws pairs that have a hash in common; 0 is none.
func (t *trainer) drawn(salt int, hash func(i int32) uint64) *seen {
	hs := make([]uint64, t.size)
	at := make([]int32, 0, t.size)
	for i := range t.size {
		if hs[i] = hash(int32(i)); hs[i] != 0 {
			at = append(at, int32(i))
		}
	}
	slices.SortFunc(at, func(a, b int32) int { return cmp.Or(cmp.Compare(hs[a], hs[b]), int(a-b)) })
	var starts []int // of blocks
	var sums []int   // pairs up to the end of the block
	total := 0
	for i := 0; i < len(at); {
		j := i + 1
		for j < len(at) && hs[at[j]] == hs[at[i]] {
			j++
		}
		if j-i > 1 {
			total += (j - i) * (j - i - 1) / 2
			starts = append(starts, i)
			sums = append(sums, total)
		}
		i = j
	}
	if total < 500 {
		return nil
	}
	pairs := make([]pair, 0, min(total, within))
	for k := range cap(pairs) {
		x := k
		if total > within {
			x = int(model.Mix(t.opts.Seed^uint64(salt)<<40^0xa9, uint64(k)) % uint64(total))
		}
		b := sort.SearchInts(sums, x+1)
		if b > 0 {
			x -= sums[b-1]
		}
		// The x-th pair of the block, counted by its second record.
		j := int((1 + math.Sqrt(1+8*float64(x))) / 2)
		for j*(j-1)/2 > x {
			j--
		}
		for (j+1)*j/2 <= x {
			j++
		}
		pairs = append(pairs, pair{a: at[starts[b]+x-j*(j-1)/2], b: at[starts[b]+j]})
	}
	return t.look(pairs, nil)
}

// goes is how a column goes with a parent among strangers.
type goes struct {
	child int
	gain  float64
	model.With
}

// dependences measures how each column goes with each coarser one, and keeps the
// strongest: one parent, and one more for pairs that do not hold the first.
func (t *trainer) dependences(agreeing []*seen) {
	under := make([][]goes, len(agreeing))
	t.parallel(len(agreeing), func(p int) {
		if agreeing[p] != nil {
			under[p] = t.under(p, agreeing[p])
		}
	})
	all := slices.Concat(under...)
	slices.SortStableFunc(all, func(a, b goes) int { return cmp.Compare(b.gain, a.gain) })
	for c := range t.cols {
		t.cols[c].With = nil
	}
	for _, g := range all {
		c := &t.cols[g.child]
		if g.gain >= minGain && len(c.With) < 2 && !t.above(g.Parent, g.child) {
			c.With = append(c.With, g.With)
		}
	}
}

// above says whether a column is an ancestor of another.
func (t *trainer) above(of, ancestor int) bool {
	if of == ancestor {
		return true
	}
	if of == model.Names {
		return t.above(t.given, ancestor) || t.above(t.family, ancestor)
	}
	return slices.ContainsFunc(t.cols[of].With, func(w model.With) bool { return t.above(w.Parent, ancestor) })
}

// under counts the levels of all columns among strangers who agree on one.
func (t *trainer) under(p int, s *seen) []goes {
	n := len(t.cols)
	count := make([][16]float64, n)
	plain, nested := make([]line, n), make([]line, n)
	for k := range s.all {
		o := &s.all[k]
		w := t.strangers(o)
		if w < 0.5 { // doubtful pairs are rather matches, and would look like dependence
			continue
		}
		a, b := &t.features[s.pairs[k].a], &t.features[s.pairs[k].b]
		for c := range n {
			l := o.level[c]
			if c == p || l == uint8(compare.Missing) {
				continue
			}
			count[c][l] += w
			for _, v := range []*compare.Value{&a.Values[c], &b.Values[c]} {
				f := model.Frequency(v.TF)
				y := 0.0
				if l == uint8(compare.Agree) {
					y = 1
				}
				x := w / max(f, 1e-7) // as many of rare as of frequent values
				plain[c].add(x, f, y)
				if p != model.Names && o.tf[p] > 0 {
					nested[c].add(x, min(f/float64(o.tf[p]), 1), y)
				}
			}
		}
	}
	var out []goes
	for c := range n {
		kind, _ := compare.KindOf(t.cols[c].Kind)
		if p == model.Names && kind != compare.Email || p != model.Names && !t.coarser(p, c) {
			continue
		}
		g := goes{child: c, With: model.With{Parent: p}}
		ls := t.cols[c].Levels
		sum := 0.0
		for l := range ls {
			sum += count[c][l]
		}
		if sum < 100 {
			continue
		}
		const faith = 20 // pairs that the unconditional counts for
		for l := range ls {
			g.Levels = append(g.Levels, (count[c][l]+faith*ls[l].U)/(sum+faith))
		}
		if p == model.Names { // an address itself is as rare as it is; what is like it is not
			g.Lift, g.gain = 1, 100
			g.Levels = t.namesakes(c, s)
			out = append(out, g)
			continue
		}
		var off float64
		g.Tied, g.Lift, off = plain[c].fit()
		if tied, lift, e := nested[c].fit(); e < off {
			g.Tied, g.Lift, g.Nested = tied, lift, true
		}
		g.gain = t.cols[c].Complete * t.cols[p].Complete * math.Log2(g.Levels[0]/ls[0].U)
		out = append(out, g)
	}
	return out
}

// namesakes are the levels of a column among strangers of one name. Two of them
// with like addresses look like one person: so who is a stranger is asked of the
// other columns alone, and the levels are what, mixed with those of matches, makes
// the pairs likeliest (expectation maximisation with one unknown component).
func (t *trainer) namesakes(c int, s *seen) []float64 {
	ls := t.cols[c].Levels
	type weighed struct {
		level           uint8
		stranger, match float64
	}
	var ws []weighed
	for k := range s.of {
		o := s.of[k]
		l := o.level[c]
		if l == missing {
			continue
		}
		o.level[c] = missing
		w := t.strangers(&o)
		ws = append(ws, weighed{l, w * s.times[k], (1 - w) * s.times[k]})
	}
	const faith = 20 // pairs that the unconditional counts for
	u := make([]float64, len(ls))
	for l := range ls {
		u[l] = 1 / float64(len(ls))
	}
	for range 30 {
		sum, all := make([]float64, len(ls)), float64(faith)
		for _, w := range ws {
			if p := w.stranger * u[w.level]; p > 0 {
				n := (w.stranger + w.match) * p / (p + w.match*ls[w.level].M)
				sum[w.level] += n
				all += n
			}
		}
		for l := range u {
			u[l] = (sum[l] + faith*ls[l].U) / all
		}
	}
	return u
}

// coarser says whether a column may go with another: not one whose values are
// nearly unique, where any agreement is a match that was overlooked.
func (t *trainer) coarser(p, c int) bool {
	kind, _ := compare.KindOf(t.cols[c].Kind)
	unique := t.cols[c].IsIdentifier || kind == compare.Email || kind == compare.Phone
	return p != c && !unique && t.cols[p].Levels[0].U >= t.cols[c].Levels[0].U
}

// strangers is the chance that a pair is of two people who have nothing to do
// with each other.
func (t *trainer) strangers(o *observed) float64 {
	var p [8]float64
	sum := t.likelihoods(o, p[:])
	if sum == 0 {
		return 1
	}
	return p[0] / sum
}

// line is the weighted least squares of "equal" on a chance: tied + lift * chance,
// neither below 0.
type line struct{ w, f, ff, y, fy float64 }

func (r *line) add(w, f, y float64) {
	r.w += w
	r.f += w * f
	r.ff += w * f * f
	r.y += w * y
	r.fy += w * f * y
}

// fit returns both, and the sum of squares that is left.
func (r *line) fit() (tied, lift, off float64) {
	if r.w == 0 || r.ff == 0 {
		return 0, 1, math.Inf(1)
	}
	if det := r.w*r.ff - r.f*r.f; det > 1e-9*r.w*r.ff {
		tied = (r.y*r.ff - r.fy*r.f) / det
		lift = (r.fy - tied*r.f) / r.ff
	} else {
		tied = -1
	}
	switch { // both are chances
	case tied < 0:
		tied, lift = 0, r.fy/r.ff
	case lift < 0:
		tied, lift = r.y/r.w, 0
	}
	tied = min(tied, 1)
	off = r.y - 2*tied*r.y - 2*lift*r.fy + tied*tied*r.w + 2*tied*lift*r.f + lift*lift*r.ff
	return tied, lift, off
}
