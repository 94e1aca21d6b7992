package propensity

import (
	"cmp"
	"math"
	"slices"
)

// Bounds of the boosting.
const (
	maxTrees     = 300
	depth        = 4
	maxBins      = 64
	learningRate = 0.1
	lambda       = 1.0 // L2 penalty of a leaf
	minHessian   = 2.0 // weight that each side of a split needs
	minGain      = 1e-6
	patience     = 20 // trees without gain on the validation part
)

// Trees is a boosted ensemble.
type Trees struct {
	Base  float64 `json:"base"` // log odds before any tree
	Trees []Tree  `json:"trees"`
}

// Tree is a full binary tree as arrays: node i has children 2i+1 and 2i+2.
type Tree struct {
	Column []int     `json:"column"` // -1: a leaf
	At     []float64 `json:"at"`     // rows of a value up to this go left
	Value  []float64 `json:"value"`  // of a leaf, log odds
}

// LogOdds of a row.
func (m *Trees) LogOdds(row []float64) float64 {
	s := m.Base
	for i := range m.Trees {
		s += m.Trees[i].value(row)
	}
	return s
}

func (t *Tree) value(row []float64) float64 {
	i := 0
	for t.Column[i] >= 0 {
		if row[t.Column[i]] <= t.At[i] {
			i = 2*i + 1
		} else {
			i = 2*i + 2
		}
	}
	return t.Value[i]
}

// boosting is a fit on its way.
type boosting struct {
	edges  [][]float64 // of each column's bins; a bin holds values up to its edge
	bins   [][]uint8   // by column, then row
	g, h   []float64   // slope and curvature of the loss by row
	node   []int32     // of each row in the tree that grows
	labels []bool
	odds   []float64
}

// fitTrees boosts until the validation part gets no better.
func fitTrees(rows [][]float64, labels []bool, check [][]float64, checkLabels []bool) *Trees {
	b := &boosting{labels: labels, g: make([]float64, len(rows)), h: make([]float64, len(rows)), node: make([]int32, len(rows)), odds: make([]float64, len(rows))}
	b.bin(rows)
	m := &Trees{Base: prior(labels)}
	for i := range b.odds {
		b.odds[i] = m.Base
	}
	checkOdds := make([]float64, len(check))
	for i := range checkOdds {
		checkOdds[i] = m.Base
	}
	best, kept := logLoss(checkOdds, checkLabels), 0
	for len(m.Trees) < maxTrees && len(m.Trees)-kept < patience {
		t, split := b.grow()
		if !split {
			break
		}
		m.Trees = append(m.Trees, t)
		for i, row := range check {
			checkOdds[i] += t.value(row)
		}
		if loss := logLoss(checkOdds, checkLabels); loss < best {
			best, kept = loss, len(m.Trees)
		}
	}
	m.Trees = m.Trees[:kept]
	return m
}

// bin cuts each column at quantiles of its values.
func (b *boosting) bin(rows [][]float64) {
	for c := range rows[0] {
		values := make([]float64, len(rows))
		for i, row := range rows {
			values[i] = row[c]
		}
		slices.Sort(values)
		var edges []float64
		if distinct := slices.Compact(slices.Clone(values)); len(distinct) <= maxBins {
			edges = distinct
		} else {
			for k := 1; k <= maxBins; k++ {
				edges = append(edges, values[k*len(values)/maxBins-1])
			}
			edges = slices.Compact(edges)
		}
		bins := make([]uint8, len(rows))
		for i, row := range rows {
			at, _ := slices.BinarySearch(edges, row[c])
			bins[i] = uint8(at)
		}
		b.edges, b.bins = append(b.edges, edges), append(b.bins, bins)
	}
}

type sums struct{ g, h float64 }

func (s sums) score() float64 { return s.g * s.g / (s.h + lambda) }

// grow fits one tree to the slopes and adds it to the odds.
func (b *boosting) grow() (Tree, bool) {
	for i, o := range b.odds {
		p := logistic(o)
		b.g[i], b.h[i], b.node[i] = p, p*(1-p), 0
		if b.labels[i] {
			b.g[i] = p - 1
		}
	}
	size := 1<<(depth+1) - 1
	t := Tree{Column: make([]int, size), At: make([]float64, size), Value: make([]float64, size)}
	for i := range t.Column {
		t.Column[i] = -1
	}
	split := false
	for level := 0; level < depth; level++ {
		first := 1<<level - 1
		found := b.splits(first, 1<<level)
		any := false
		for k, s := range found {
			if s.gain > minGain {
				t.Column[first+k], t.At[first+k] = s.column, b.edges[s.column][s.bin]
				any = true
			}
		}
		if !any {
			break
		}
		split = true
		b.send(first, found)
	}
	b.leaves(&t)
	return t, split
}

type split struct {
	column int
	bin    uint8
	gain   float64
}

// splits finds the best split of each node of a level that rows are still in.
func (b *boosting) splits(first, nodes int) []split {
	out := make([]split, nodes)
	for c, bins := range b.bins {
		width := len(b.edges[c])
		hist := make([]sums, nodes*width)
		for i, bin := range bins {
			if k := int(b.node[i]) - first; k >= 0 {
				s := &hist[k*width+int(bin)]
				s.g, s.h = s.g+b.g[i], s.h+b.h[i]
			}
		}
		for k := range nodes {
			var whole, left sums
			for _, s := range hist[k*width : (k+1)*width] {
				whole.g, whole.h = whole.g+s.g, whole.h+s.h
			}
			for i, s := range hist[k*width : (k+1)*width] {
				left.g, left.h = left.g+s.g, left.h+s.h
				right := sums{whole.g - left.g, whole.h - left.h}
				if left.h < minHessian || right.h < minHessian {
					continue
				}
				gain := left.score() + right.score() - whole.score()
				// Of equal gains the first column and bin, so that nothing hangs on rounding order.
				if cmp.Compare(gain, out[k].gain) > 0 {
					out[k] = split{c, uint8(i), gain}
				}
			}
		}
	}
	return out
}

// send moves rows to the children of the nodes that split.
func (b *boosting) send(first int, found []split) {
	for i, n := range b.node {
		k := int(n) - first
		if k < 0 || found[k].gain <= minGain {
			continue
		}
		if b.bins[found[k].column][i] <= found[k].bin {
			b.node[i] = 2*n + 1
		} else {
			b.node[i] = 2*n + 2
		}
	}
}

// leaves sets the leaves' values by a Newton step and adds them to the odds.
func (b *boosting) leaves(t *Tree) {
	at := make([]sums, len(t.Value))
	for i, n := range b.node {
		at[n].g, at[n].h = at[n].g+b.g[i], at[n].h+b.h[i]
	}
	for n, s := range at {
		if s.h > 0 {
			t.Value[n] = -learningRate * s.g / (s.h + lambda)
		}
	}
	for i, n := range b.node {
		b.odds[i] += t.Value[n]
	}
}

// logLoss is the mean of −ln of the probability given to what happened.
func logLoss(odds []float64, labels []bool) float64 {
	if len(odds) == 0 {
		return math.Inf(1)
	}
	var sum float64
	for i, z := range odds {
		if labels[i] {
			z = -z
		}
		sum += softplus(z)
	}
	return sum / float64(len(odds))
}
