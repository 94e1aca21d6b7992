package resolve

import (
	"context"
	"math"
	"runtime"
	"slices"

	"github.com/weir-cdp/weir/pipelines/resolve/index"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// This file compares the pairs of an increment.

// score compares pairs, which are sorted, and adds those that are likely the same.
func (x *increment) score(ctx context.Context, pairs []pair, anew []bool) error {
	involved := make([]bool, len(x.is))
	for _, p := range pairs {
		a, b := p.versions()
		involved[a], involved[b] = true, true
	}
	var versions []uint32
	for v, yes := range involved {
		if yes {
			versions = append(versions, uint32(v))
		}
	}
	features, err := x.features(ctx, versions)
	if err != nil {
		return err
	}
	cut := runtime.GOMAXPROCS(0)
	scored := make([]scoring, cut)
	if err := side(cut, func(i int) error {
		scored[i].increment, scored[i].features = x, features
		return scored[i].all(pairs[i*len(pairs)/cut : (i+1)*len(pairs)/cut])
	}); err != nil {
		return err
	}
	for i := range scored {
		x.next.Pairs = append(x.next.Pairs, scored[i].pairs...)
		x.next.Near = append(x.next.Near, scored[i].near...)
		for _, p := range scored[i].pairs {
			x.seeds = append(x.seeds, p.Left, p.Right)
		}
	}
	x.task.Count("pairs_compared", int64(len(pairs)))
	x.task.Count("pairs_linked", int64(len(x.next.Pairs)))
	if x.next.Bound > 0 && len(x.next.Near) < mostUncertain {
		return refuse(x.task, "candidates_worn")
	}
	return nil
}

// scoring compares a share of the pairs.
type scoring struct {
	*increment
	features    map[uint32]string
	left, right model.Decoder
	pairs       []index.Pair
	near        []index.Near
}

func (s *scoring) all(pairs []pair) error {
	last := ^uint32(0)
	var fl model.Features
	for _, p := range pairs {
		a, b := p.versions()
		if a != last {
			var err error
			s.left.Reset()
			if fl, err = s.left.Decode(s.features[a]); err != nil {
				return err
			}
			last = a
		}
		s.right.Reset()
		fr, err := s.right.Decode(s.features[b])
		if err != nil {
			return err
		}
		m, err := s.modelOf(a)
		if err != nil {
			return err
		}
		// In the order of their digests, as in a full run: no bit may differ.
		var w float64
		if compareHashes(s.shelf.digest[a], s.shelf.digest[b]) < 0 {
			w = m.Score(&fl, &fr)
		} else {
			w = m.Score(&fr, &fl)
		}
		off := w - m.Threshold()
		if math.Abs(off) <= farOff && (s.next.Bound == 0 || math.Abs(off) < s.next.Bound) {
			s.near = append(s.near, index.Near{Left: a, Right: b, Weight: w, Off: off})
		}
		if w >= m.Threshold() {
			s.pairs = append(s.pairs, index.Pair{Left: a, Right: b, Weight: float32(w)})
		}
	}
	return nil
}

// nearPair is a row of identity.candidates with its versions.
type nearPair struct {
	uncertainRow
	left, right uint32
}

// nearest are the pairs of identity.candidates.
func (x *increment) nearest() []nearPair {
	text := func(v uint32) string { return string(appendDigest(nil, x.shelf.digest[v])) }
	rows := make([]nearPair, 0, len(x.next.Near))
	for _, n := range x.next.Near {
		u := uncertainRow{Left: text(n.Left), Right: text(n.Right), Of: uint8(x.shelf.kinds[n.Left]), Weight: n.Weight, Off: n.Off}
		if u.Left > u.Right {
			u.Left, u.Right = u.Right, u.Left
		}
		rows = append(rows, nearPair{u, n.Left, n.Right})
	}
	slices.SortFunc(rows, func(a, b nearPair) int { return compareUncertain(a.uncertainRow, b.uncertainRow) })
	return rows[:min(len(rows), mostUncertain)]
}
