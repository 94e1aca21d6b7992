package train

import (
	"math"
	"slices"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// classes starts the latent classes: see model.Class.
func (t *trainer) startClasses() {
	n := len(t.cols)
	fill := func(x float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = x
		}
		return out
	}
	per := 0.5 / float64(max(t.total, 2)) // half a duplicate for each record
	t.classes = []latent{
		{Class: model.Class{Name: "strangers", Prior: 1, Shared: fill(0)}},
		{Class: model.Class{Name: "same", Match: true, Prior: per, Shared: fill(1)}},
	}
	individual, family, places := 0, 0, 0
	relatives, atMost := fill(0.5), fill(0.999)
	atLeast := fill(0) // what makes relatives: else they become neighbours, and the class of matches takes them
	neighbours, nearMost := fill(0), fill(0.02)
	moved := fill(1)
	for c := range t.cols {
		k, _ := compare.KindOf(t.cols[c].Kind)
		switch {
		case t.cols[c].Role == model.Given:
			relatives[c], atMost[c] = 0.01, 0.02
			individual++
		case k == compare.Date:
			relatives[c], atMost[c] = 0.02, 0.1
			individual++
		case t.cols[c].IsIdentifier || k == compare.Email || k == compare.Phone:
			relatives[c], atMost[c] = 0.2, 0.6
		case t.cols[c].Role == model.Family:
			relatives[c], atLeast[c] = 0.9, 0.7
			family++
		case k == compare.Text, k == compare.Place, k == compare.Postcode, k == compare.Number:
			relatives[c] = 0.95
			moved[c] = 0.05
			places++
			if k == compare.Text {
				atLeast[c] = 0.7
			} else {
				neighbours[c], nearMost[c] = 0.95, 0.999
			}
		}
	}
	if individual > 0 && family > 0 {
		apart, near := slices.Clone(relatives), slices.Clone(atMost)
		for c := range apart {
			if moved[c] < 1 {
				apart[c], near[c] = 0.02, 0.05
			}
		}
		t.classes = append(t.classes, latent{Class: model.Class{Name: "relatives apart", Prior: per / 4, Shared: apart}, cap: near, free: true})
	}
	if individual > 0 && family+places > 0 {
		t.classes = append(t.classes, latent{Class: model.Class{Name: "relatives", Prior: per / 2, Shared: relatives}, cap: atMost, floor: atLeast, free: true})
	}
	if places > 1 && places < n {
		t.classes = append(t.classes, latent{Class: model.Class{Name: "neighbours", Prior: per, Shared: neighbours}, cap: nearMost, free: true})
		t.classes = append(t.classes, latent{Class: model.Class{Name: "moved", Match: true, Prior: per / 10, Shared: moved}})
	}
}

// latent is a class that is learned.
type latent struct {
	model.Class
	free  bool      // Shared is learned
	cap   []float64 // at most this; nil: 1
	floor []float64 // at least this; nil: 0
}

// likelihoods of one pair under each class; returns their sum.
func (t *trainer) likelihoods(o *observed, p []float64) float64 {
	var pm, pu [model.MaxColumns]float64
	n := len(t.cols)
	for c := range n {
		pm[c], pu[c] = t.chances(c, o)
	}
	sum := 0.0
	for k := range t.classes {
		x := t.classes[k].Prior
		s := t.classes[k].Shared
		for c := range n {
			x *= s[c]*pm[c] + (1-s[c])*pu[c]
		}
		p[k] = x
		sum += x
	}
	return sum
}

// chances are m and u of one column of a pair, for these very values: as
// model.Model.Compare finds them.
func (t *trainer) chances(c int, o *observed) (m, u float64) {
	l := o.level[c]
	if l == uint8(compare.Missing) {
		return 1, 1
	}
	col := &t.cols[c]
	level := &col.Levels[l]
	f := float64(o.tf[c])
	u = level.U
	switch {
	case f == 0:
	case l == uint8(compare.Agree) || col.Role == model.Given && l == uint8(compare.NameSwapped):
		u = f
	case col.Words != nil:
		u = min(u*f/col.Words.Mean, 1)
	default:
		u = min(u*f/col.Levels[0].U, 1)
	}
	for k := range col.With {
		w := &col.With[k]
		if known, agree := model.Agrees(w.Parent, t.given, t.family, o.level[:]); known {
			if agree {
				above := 0.0
				if w.Nested {
					above = float64(o.tf[w.Parent])
				}
				u = w.U(compare.Level(l), u, f, above)
			}
			break
		}
	}
	return level.M, u
}

// posterior is the chance that a pair is a match.
func (t *trainer) posterior(o *observed) float64 {
	var p [8]float64
	sum := t.likelihoods(o, p[:])
	if sum == 0 {
		return 0
	}
	match := 0.0
	for k := range t.classes {
		if t.classes[k].Match {
			match += p[k]
		}
	}
	return match / sum
}

// maximise runs expectation maximisation until nothing moves, and returns the
// iterations.
func (t *trainer) maximise(s *seen, rounds int) int {
	active := make([]bool, len(s.of))
	s.u = nil // whoever asks again has changed it
	for round := 1; ; round++ {
		// Pairs that are surely strangers teach nothing: they are asked again only
		// now and then.
		moved := t.step(s, active, round%6 == 1)
		if moved < 3e-4 || round == rounds {
			return round
		}
	}
}

// sums are what one pass over the pairs adds up.
type sums struct {
	level  [model.MaxColumns][16]float64 // matches by level, of pairs found without the column
	class  [8]float64
	shared [8][model.MaxColumns][2]float64 // by class and column: shared, and all
}

// step is one iteration, over all pairs or over those that the last one over all
// found to be active.
func (t *trainer) step(pairs *seen, active []bool, all bool) (moved float64) {
	const piece = 1 << 12
	parts := make([]sums, (len(pairs.of)+piece-1)/piece)
	if pairs.u == nil {
		t.price(pairs)
	}
	n := len(t.cols)
	t.parallel(len(parts), func(i int) {
		for k := i * piece; k < min((i+1)*piece, len(pairs.of)); k++ {
			if all || active[k] {
				active[k] = t.expect(&pairs.of[k], pairs.u[k*n:(k+1)*n], pairs.times[k], &parts[i]) > 1e-7
			}
		}
	})
	var s sums
	for i := range parts {
		s.add(&parts[i])
	}
	t.learnLabels(&s)
	return t.update(&s)
}

// price sets u of each pair and column, which no iteration changes.
func (t *trainer) price(s *seen) {
	n := len(t.cols)
	s.u = make([]float64, len(s.of)*n)
	t.parallel(len(s.of), func(k int) {
		for c := range n {
			_, s.u[k*n+c] = t.chances(c, &s.of[k])
		}
	})
}

// without gives, for each column, the training rules that do not use it.
func (t *trainer) without() (out [model.MaxColumns]uint64) {
	for c := range t.cols {
		for r := range t.rules {
			if t.rules[r].columns&(1<<c) == 0 {
				out[c] |= 1 << r
			}
		}
	}
	return
}

// expect adds what one pair says, whose columns have u by chance, and returns the
// chance that it is not of strangers.
func (t *trainer) expect(o *observed, u []float64, w float64, s *sums) float64 {
	var pm, pu [model.MaxColumns]float64
	var held [model.MaxColumns]int
	n := 0
	for c := range t.cols {
		if o.level[c] != missing {
			pm[n], pu[n] = t.cols[c].Levels[o.level[c]].M, u[c]
			held[n] = c
			n++
		}
	}
	var p [8]float64
	sum := 0.0
	for k := range t.classes {
		x := t.classes[k].Prior
		shared := t.classes[k].Shared
		for i := range n {
			sh := shared[held[i]]
			x *= sh*pm[i] + (1-sh)*pu[i]
		}
		p[k] = x
		sum += x
	}
	if sum == 0 {
		return 0
	}
	for k := range t.classes {
		r := w * p[k] / sum
		s.class[k] += r
		if r < 1e-7 || k == 0 {
			continue
		}
		for i := range n {
			if c := held[i]; t.everything || o.free&(1<<c) != 0 {
				t.share(o.level[c], k, c, pm[i], pu[i], r, s)
			}
		}
	}
	return 1 - p[0]/sum
}

// share adds what one column of a pair says of a class: how likely its value is
// shared, and if so, its level.
func (t *trainer) share(l uint8, k, c int, m, u, r float64, s *sums) {
	sh := t.classes[k].Shared[c]
	both := sh*m + (1-sh)*u
	if both == 0 {
		return
	}
	shared := r * sh * m / both
	s.shared[k][c][0] += shared
	s.shared[k][c][1] += r
	if t.classes[k].Match {
		s.level[c][l] += shared
	}
}

func (s *sums) add(o *sums) {
	for c := range s.level {
		for l := range s.level[c] {
			s.level[c][l] += o.level[c][l]
		}
	}
	for k := range s.class {
		s.class[k] += o.class[k]
		for c := range s.shared[k] {
			s.shared[k][c][0] += o.shared[k][c][0]
			s.shared[k][c][1] += o.shared[k][c][1]
		}
	}
}

// update is the maximisation: with a little of the first guess, so that a level
// that no pair shows keeps a chance.
func (t *trainer) update(s *sums) (moved float64) {
	change := func(x *float64, to float64) {
		moved = max(moved, math.Abs(*x-to))
		*x = to
	}
	for c := range t.cols {
		ls := t.cols[c].Levels
		var guess model.Column
		guess.Kind, guess.Levels = t.cols[c].Kind, make([]model.Level, len(ls))
		startM(&guess)
		const faith = 8 // pairs that the guess counts for
		sum := float64(faith)
		for l := range ls {
			sum += s.level[c][l]
		}
		to := make([]float64, len(ls))
		for l := range ls {
			to[l] = (s.level[c][l] + faith*guess.Levels[l].M) / sum
		}
		t.anchor(c, to)
		for l := range ls {
			change(&ls[l].M, to[l])
		}
	}
	all := t.allPairs()
	for k := 1; k < len(t.classes); k++ {
		cl := &t.classes[k]
		prior := max(s.class[k], 0.1) / all / t.covered
		moved = max(moved, math.Abs(math.Log(prior/cl.Prior))*0.01)
		cl.Prior = prior
		if !cl.free {
			continue
		}
		for c := range t.cols {
			const faith = 4
			first := t.first[k].Shared[c]
			to := (s.shared[k][c][0] + faith*first) / (s.shared[k][c][1] + faith)
			if cl.cap != nil {
				to = min(to, cl.cap[c])
			}
			if cl.floor != nil {
				to = max(to, cl.floor[c])
			}
			change(&cl.Shared[c], to)
		}
	}
	sum := 0.0
	for k := 1; k < len(t.classes); k++ {
		sum += t.classes[k].Prior
	}
	t.classes[0].Prior = max(1-sum, 0.01)
	return moved
}

// allPairs is how many pairs there are for what training looked at: those of the
// sample, or as many as make a drawn pair stand for its share of the table's.
func (t *trainer) allPairs() float64 {
	n := float64(t.size)
	if t.stands > 0 {
		n = float64(t.total)
		return n * (n - 1) / 2 * t.sampled / t.stands
	}
	return n * (n - 1) / 2
}

// mostDiffer is how often at most the given name and the birth date of one person
// may differ on two records. Without a bound, where households outnumber
// duplicates, the class of matches could become that of relatives.
const mostDiffer = 0.3

// anchor keeps the columns that tell relatives apart within the bound.
func (t *trainer) anchor(c int, m []float64) {
	k, _ := compare.KindOf(t.cols[c].Kind)
	from := len(m)
	switch {
	case t.cols[c].Role == model.Given:
		from = int(compare.NameDiffer)
	case k == compare.Date:
		from = int(compare.DateYear)
	}
	differ := 0.0
	for l := from; l < len(m); l++ {
		differ += m[l]
	}
	if differ <= mostDiffer {
		return
	}
	for l := range m {
		if l < from {
			m[l] *= (1 - mostDiffer) / (1 - differ)
		} else {
			m[l] *= mostDiffer / differ
		}
	}
}
