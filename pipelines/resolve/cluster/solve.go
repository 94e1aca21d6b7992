package cluster

import (
	"cmp"
	"iter"
	"slices"
)

// Edge is a piece of evidence between two records: a row of identity.edges.
type Edge struct {
	Left, Right int32 // Left < Right
	Rule        uint16
	Weight      float32
	Refused     Refusal // why the edge was not used
}

// Refusal names the constraint that refused a merge: 0 none, below 0 a
// do-not-link, above 0 a limited kind.
type Refusal int32

// Apart returns the number of the do-not-link that refused.
func (r Refusal) Apart() (int32, bool) {
	if r >= 0 {
		return 0, false
	}
	return int32(-r - 1), true
}

// Kind returns the limited kind that refused.
func (r Refusal) Kind() (uint16, bool) {
	if r <= 0 {
		return 0, false
	}
	return uint16(r - 1), true
}

// Result is a partition of a graph's records.
type Result struct {
	Cluster []int32 // for each record the smallest record of its cluster
	Hubs    []Hub
	Rebuilt int // components that broke a constraint
	Over    []Over

	graph    *Graph
	accepted []bool
	rebuilt  map[int32]bool // by the component's smallest record
	first    forest         // the components before they were rebuilt
	edges    []Edge         // of rebuilt components
}

// Over says that a cluster holds more values than a soft limit.
type Over struct {
	Cluster int32
	Kind    uint16
	Values  int
}

// Solve partitions the records. The graph is sorted in place.
func Solve(g *Graph) (*Result, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	g.normalise()
	f := newForest(g.N)
	for _, gr := range g.Groups {
		if gr.Suspect == Free {
			g.join(f, gr)
		}
	}
	accepted, hubs := g.settle(f)
	f.flatten()
	r := &Result{Cluster: f, Hubs: hubs, graph: g, accepted: accepted}
	r.rebuilt = g.broken(f)
	r.Rebuilt = len(r.rebuilt)
	if r.Rebuilt > 0 {
		r.first = slices.Clone(f)
		r.rebuild()
	}
	r.Over = g.over(r.Cluster)
	return r, nil
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
		for _, gr := range r.graph.Groups {
			m := r.graph.members(gr)
			if gr.Suspect != Free && !r.accepted[gr.Suspect] {
				continue
			}
			if r.Rebuilt > 0 && r.rebuilt[r.first[m[0]]] {
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
