package cluster

import "slices"

// rebuild takes the broken components apart and joins them again, strongest
// evidence first, refusing what breaks a constraint.
func (r *Result) rebuild() {
	g, f := r.graph, forest(r.Cluster)
	b := builder{graph: g, forest: f, holding: map[int32]*holding{}}
	for i := range f {
		if r.rebuilt[r.first[i]] {
			f[i] = int32(i)
			b.holding[int32(i)] = &holding{}
		}
	}
	for _, v := range g.Values {
		if h := b.holding[v.Record]; h != nil && g.Limits[v.Kind].Hard && g.Limits[v.Kind].Max > 0 {
			h.values = append(h.values, Value{Kind: v.Kind, Hash: v.Hash})
		}
	}
	for _, s := range g.Sides { // sorted: by record, then do-not-link
		if h := b.holding[s.Record]; h != nil {
			h.sides = append(h.sides, Side{Apart: s.Apart, Side: s.Side})
		}
	}
	var todo []Group
	for _, gr := range g.Groups {
		if gr.Suspect != Free && !r.accepted[gr.Suspect] {
			continue
		}
		if r.rebuilt[r.first[g.Members[gr.Start]]] {
			todo = append(todo, gr)
		}
	}
	slices.SortStableFunc(todo, g.compare)
	for _, gr := range todo {
		b.add(gr)
	}
	f.flatten()
	r.edges = b.edges
}

type builder struct {
	graph   *Graph
	forest  forest
	holding map[int32]*holding // by root
	edges   []Edge
}

// add merges a group's pairs in the order of the records. A pair (a, c) after
// (first, a) was joined needs no check: what the first's cluster refused, the
// grown cluster refuses too. So only the first record of each cluster that
// forms inside the group is tried against the records after it.
func (b *builder) add(gr Group) {
	left := slices.Clone(b.graph.members(gr))
	for round := 0; len(left) > 1; round++ {
		first := left[0]
		var refused []int32
		for _, m := range left[1:] {
			why := b.merge(first, m)
			if why != 0 {
				refused = append(refused, m)
			}
			if why == 0 || round == 0 {
				b.edges = append(b.edges, Edge{Left: first, Right: m, Rule: gr.Rule, Weight: gr.Weight, Refused: why})
			}
		}
		left = refused
	}
}

// merge joins the clusters of two records, or says what forbids it.
func (b *builder) merge(x, y int32) Refusal {
	rx, ry := b.forest.find(x), b.forest.find(y)
	if rx == ry {
		return 0
	}
	hx, hy := b.holding[rx], b.holding[ry]
	sides, why := joined(hx.sides, hy.sides)
	if why != 0 {
		return why
	}
	values, why := b.graph.merged(hx.values, hy.values)
	if why != 0 {
		return why
	}
	b.forest.union(rx, ry)
	delete(b.holding, rx)
	delete(b.holding, ry)
	b.holding[b.forest.find(rx)] = &holding{values: values, sides: sides}
	return 0
}
