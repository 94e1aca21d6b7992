package cluster

import (
	"cmp"
	"iter"
	"math"
	"slices"
)

// Edge is a piece of evidence between two records: a row of identity.edges.
type Edge struct {
	Left, Right int32 // Left < Right
	Rule        uint16
	Weight      float32
	Refused     Refusal // why the edge was not used
	Against     float32 // refused as Doubted: the log2 odds of all scored pairs between the two clusters
}

// Refusal names what refused a merge: 0 nothing, below 0 a do-not-link, above 0 a
// limited kind, or Doubted.
type Refusal int32

// Doubted says that the scored pairs between two clusters together spoke against
// the merge.
const Doubted Refusal = math.MaxInt32

// Apart returns the number of the do-not-link that refused.
func (r Refusal) Apart() (int32, bool) {
	if r >= 0 {
		return 0, false
	}
	return int32(-r - 1), true
}

// Kind returns the limited kind that refused.
func (r Refusal) Kind() (uint16, bool) {
	if r <= 0 || r == Doubted {
		return 0, false
	}
	return uint16(r - 1), true
}

// Result is a partition of a graph's records.
type Result struct {
	Cluster []int32 // for each record the smallest record of its cluster
	Hubs    []Hub
	Rebuilt int // components that broke a constraint
	Doubted int // components in which pairs speak against others
	Asked   int // pairs that were looked at again
	Over    []Over

	parts   *Components
	rebuilt map[int32]bool // by the component's smallest record: broken or doubted
	first   forest         // the components before they were rebuilt
	edges   []Edge         // of rebuilt components
}

// Over says that a cluster holds more values than a soft limit.
type Over struct {
	Cluster int32
	Kind    uint16
	Values  int
}

// Components are the records that all accepted evidence connects.
type Components struct {
	graph    *Graph
	forest   forest
	accepted []bool
	hubs     []Hub
	open     map[int32][]link // by root
}

// Connect finds the connected components. The graph is sorted in place.
func Connect(g *Graph) (*Components, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	g.normalise()
	c := &Components{graph: g, forest: newForest(g.N)}
	for _, gr := range g.Groups {
		if gr.Suspect == Free {
			g.join(c.forest, gr)
		}
	}
	c.accepted, c.hubs = g.settle(c.forest)
	c.forest.flatten()
	c.findOpen()
	return c, nil
}

// counts says whether a group's suspect, if it has one, was accepted.
func (c *Components) counts(gr Group) bool { return gr.Suspect == Free || c.accepted[gr.Suspect] }

// Solve partitions the records. Without a second look, scored pairs count as
// other evidence does. It may be called once.
func (c *Components) Solve(second Second) *Result {
	g := c.graph
	r := &Result{Cluster: c.forest, Hubs: c.hubs, parts: c}
	r.rebuilt = g.broken(c.forest)
	r.Rebuilt = len(r.rebuilt)
	doubts, asked := c.look(second)
	r.Doubted, r.Asked = len(doubts), asked
	for root := range doubts {
		r.rebuilt[root] = true
	}
	if len(r.rebuilt) > 0 {
		r.first = slices.Clone(c.forest)
		r.rebuild(doubts)
	}
	r.Over = g.over(r.Cluster)
	return r
}

// Solve partitions the records without a second look.
func Solve(g *Graph) (*Result, error) {
	c, err := Connect(g)
	if err != nil {
		return nil, err
	}
	return c.Solve(nil), nil
}

// normalise puts what the caller gave in any order into one order.
func (g *Graph) normalise() {
	slices.SortFunc(g.Values, func(a, b Value) int {
		switch {
		case a.Record != b.Record:
			return int(a.Record) - int(b.Record)
		case a.Kind != b.Kind:
			return int(a.Kind) - int(b.Kind)
		case a.Hash < b.Hash:
			return -1
		case a.Hash > b.Hash:
			return 1
		}
		return 0
	})
	g.Values = slices.Compact(g.Values)
	slices.SortFunc(g.Sides, func(a, b Side) int {
		return cmp.Or(cmp.Compare(a.Record, b.Record), cmp.Compare(a.Apart, b.Apart))
	})
	g.Sides = slices.Compact(g.Sides)
}

func (g *Graph) join(f forest, gr Group) {
	m := g.members(gr)
	for _, other := range m[1:] {
		f.union(m[0], other)
	}
}

// Edges yields the evidence as edges, in no particular order. A group of n
// records gives at most n-1 used edges, towards its smallest record where
// nothing was refused, and one refused edge for each record that it could not
// join to the group's first cluster. Hubs give none.
func (r *Result) Edges() iter.Seq[Edge] {
	return func(yield func(Edge) bool) {
		for _, gr := range r.parts.graph.Groups {
			m := r.parts.graph.members(gr)
			if !r.parts.counts(gr) {
				continue
			}
			if len(r.rebuilt) > 0 && r.rebuilt[r.first[m[0]]] {
				continue
			}
			for _, other := range m[1:] {
				if !yield(Edge{Left: m[0], Right: other, Rule: gr.Rule, Weight: gr.Weight}) {
					return
				}
			}
		}
		for _, e := range r.edges {
			if !yield(e) {
				return
			}
		}
	}
}

func distinct(s []int32) []int32 {
	slices.Sort(s)
	return slices.Compact(s)
}
