package cluster

import "slices"

// broken returns the components, by root, that hold more values than a hard
// limit or both sides of a do-not-link.
func (g *Graph) broken(f forest) map[int32]bool {
	bad := map[int32]bool{}
	parted := make(map[[2]int32]uint8, len(g.Sides)) // by root and do-not-link: the first side seen
	for _, s := range g.Sides {
		at := [2]int32{f[s.Record], s.Apart}
		if side, seen := parted[at]; !seen {
			parted[at] = s.Side
		} else if side != s.Side {
			bad[f[s.Record]] = true
		}
	}
	for _, o := range g.count(f, true) {
		bad[o.Cluster] = true
	}
	return bad
}

// over returns the clusters that hold more values than a soft limit.
func (g *Graph) over(f forest) []Over { return g.count(f, false) }

// count finds clusters over a limit, by cluster and kind.
func (g *Graph) count(f forest, hard bool) []Over {
	type held struct {
		root int32
		kind uint16
		hash uint64
	}
	var hs []held
	for _, v := range g.Values {
		if l := g.Limits[v.Kind]; l.Max > 0 && l.Hard == hard {
			hs = append(hs, held{f[v.Record], v.Kind, v.Hash})
		}
	}
	slices.SortFunc(hs, func(a, b held) int {
		switch {
		case a.root != b.root:
			return int(a.root) - int(b.root)
		case a.kind != b.kind:
			return int(a.kind) - int(b.kind)
		case a.hash < b.hash:
			return -1
		case a.hash > b.hash:
			return 1
		}
		return 0
	})
	hs = slices.Compact(hs)
	var over []Over
	for i := 0; i < len(hs); {
		j := i
		for j < len(hs) && hs[j].root == hs[i].root && hs[j].kind == hs[i].kind {
			j++
		}
		if j-i > g.Limits[hs[i].kind].Max {
			over = append(over, Over{Cluster: hs[i].root, Kind: hs[i].kind, Values: j - i})
		}
		i = j
	}
	return over
}

// holding is what a growing cluster may not exceed. Only clusters of broken
// components have one.
type holding struct {
	values []Value // of hard kinds, by kind and hash; Record is 0
	sides  []Side  // on which side of which do-not-link it is, by do-not-link; Record is 0
}

func compareHeld(a, b Value) int {
	switch {
	case a.Kind != b.Kind:
		return int(a.Kind) - int(b.Kind)
	case a.Hash < b.Hash:
		return -1
	case a.Hash > b.Hash:
		return 1
	}
	return 0
}

// merged returns the union of two clusters' values, or the kind that it would
// break.
func (g *Graph) merged(a, b []Value) ([]Value, Refusal) {
	if len(a) == 0 {
		return b, 0
	}
	if len(b) == 0 {
		return a, 0
	}
	all := make([]Value, 0, len(a)+len(b))
	all = append(append(all, a...), b...)
	slices.SortFunc(all, compareHeld)
	all = slices.Compact(all)
	n := 0
	for i, v := range all {
		if i > 0 && all[i-1].Kind != v.Kind {
			n = 0
		}
		if n++; n > g.Limits[v.Kind].Max {
			return nil, Refusal(v.Kind) + 1
		}
	}
	return all, 0
}

// joined returns the union of two clusters' sides, or the do-not-link that keeps
// them apart.
func joined(a, b []Side) ([]Side, Refusal) {
	if len(a) == 0 {
		return b, 0
	}
	if len(b) == 0 {
		return a, 0
	}
	all := make([]Side, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Apart < b[0].Apart:
			all, a = append(all, a[0]), a[1:]
		case a[0].Apart > b[0].Apart:
			all, b = append(all, b[0]), b[1:]
		case a[0].Side != b[0].Side:
			return nil, -Refusal(a[0].Apart) - 1
		default:
			all, a, b = append(all, a[0]), a[1:], b[1:]
		}
	}
	return append(append(all, a...), b...), 0
}
