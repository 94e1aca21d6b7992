package cluster

import "slices"

// rebuild takes the broken and the doubted components apart and joins them again,
// strongest evidence first, refusing what breaks a constraint, and of scored pairs
// what the scored pairs between the two clusters together speak against.
func (r *Result) rebuild(doubts map[int32][]doubt) {
	g, f := r.parts.graph, forest(r.Cluster)
	b := builder{graph: g, forest: f, holding: map[int32]*holding{}, balance: balance{}}
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
		if !r.parts.counts(gr) {
			continue
		}
		if root := r.first[g.Members[gr.Start]]; r.rebuilt[root] {
			todo = append(todo, gr)
		}
	}
	slices.SortStableFunc(todo, g.compare)
	for i, gr := range todo {
		m := g.members(gr)
		if gr.Scored && doubts[r.first[m[0]]] != nil && (i == 0 || g.compare(todo[i-1], gr) != 0) { // told twice is once
			b.balance.add(m[0], m[1], max(fixed(gr.Weight), 1)) // a link is never evidence against
		}
	}
	for _, ds := range doubts {
		for _, d := range ds {
			b.balance.add(d.a, d.b, d.weight)
		}
	}
	for _, gr := range todo {
		b.add(gr)
	}
	f.flatten()
	for i := range b.edges { // refused, and later joined by other evidence
		if e := &b.edges[i]; e.Refused == Doubted && f[e.Left] == f[e.Right] {
			e.Refused, e.Against = 0, 0
		}
	}
	r.edges = b.edges
}

type builder struct {
	graph   *Graph
	forest  forest
	holding map[int32]*holding // by root
	balance balance            // by root; of doubted components only
	edges   []Edge
}

// add merges a group's pairs in the order of the records. A pair (a, c) after
// (first, a) was joined needs no check: what the first's cluster refused, the
// grown cluster refuses too. So only the first record of each cluster that
// forms inside the group is tried against the records after it.
func (b *builder) add(gr Group) {
	if gr.Scored {
		m := b.graph.members(gr)
		b.edges = append(b.edges, b.score(Edge{Left: m[0], Right: m[1], Rule: gr.Rule, Weight: gr.Weight}))
		return
	}
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

// score merges by a scored pair, unless the pairs between the two clusters speak
// against it: clusters are joined only where that makes their records likelier,
// which is the correlation clustering of Bansal, Blum and Chawla (2004), built
// greedily.
func (b *builder) score(e Edge) Edge {
	x, y := b.forest.find(e.Left), b.forest.find(e.Right)
	if sum, known := b.balance[x][y]; known && sum <= 0 {
		e.Refused, e.Against = Doubted, float32(float64(sum)/fixedOne)
		return e
	}
	e.Refused = b.merge(x, y)
	return e
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
	now, was := min(rx, ry), max(rx, ry)
	delete(b.holding, was)
	*b.holding[now] = holding{values: values, sides: sides}
	b.balance.joined(now, was)
	return 0
}
