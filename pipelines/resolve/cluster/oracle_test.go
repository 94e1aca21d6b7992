package cluster_test

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/weir-cdp/weir/pipelines/resolve/cluster"
)

// evidence is a group as the tests write it.
type evidence struct {
	rule    uint16
	weight  float32
	suspect int32
	members []int32
	scored  bool
}

// scene is one input of the clustering, in some order.
type scene struct {
	n        int
	groups   []evidence
	suspects []cluster.Suspect
	values   []cluster.Value
	limits   []cluster.Limit
	sides    []cluster.Side
	second   map[[2]int32]float32 // what a second look says of a pair; nil: there is none
}

// solve runs the package under test.
func (s scene) solve() (*cluster.Result, error) {
	c, err := cluster.Connect(s.graph())
	if err != nil {
		return nil, err
	}
	if s.second == nil {
		return c.Solve(nil), nil
	}
	return c.Solve(func(component []int32) func(i, j int) float32 {
		for _, m := range component {
			if !c.Open(m) {
				panic("asked about a record that was not announced")
			}
		}
		return func(i, j int) float32 {
			if i >= j {
				panic("asked about a pair out of order")
			}
			return s.second[[2]int32{component[i], component[j]}]
		}
	}), nil
}

func (s scene) graph() *cluster.Graph {
	g := &cluster.Graph{N: s.n, Suspects: s.suspects, Values: slices.Clone(s.values), Limits: s.limits, Sides: slices.Clone(s.sides)}
	for _, e := range s.groups {
		if e.scored {
			g.AddScored(e.rule, e.weight, e.members[0], e.members[1])
			continue
		}
		g.Add(e.rule, e.weight, e.suspect, e.members...)
	}
	return g
}

// shuffled is the same scene told in another order.
func (s scene) shuffled(r *rand.Rand) scene {
	c := s
	c.groups = slices.Clone(s.groups)
	for i := range c.groups {
		m := slices.Clone(c.groups[i].members)
		r.Shuffle(len(m), func(a, b int) { m[a], m[b] = m[b], m[a] })
		c.groups[i].members = m
	}
	r.Shuffle(len(c.groups), func(a, b int) { c.groups[a], c.groups[b] = c.groups[b], c.groups[a] })
	c.values = slices.Clone(s.values)
	r.Shuffle(len(c.values), func(a, b int) { c.values[a], c.values[b] = c.values[b], c.values[a] })
	c.sides = slices.Clone(s.sides)
	r.Shuffle(len(c.sides), func(a, b int) { c.sides[a], c.sides[b] = c.sides[b], c.sides[a] })
	// Suspects move too, with the groups that wait for them.
	to := r.Perm(len(s.suspects))
	c.suspects = make([]cluster.Suspect, len(s.suspects))
	for i, sus := range s.suspects {
		if sus.Parent != cluster.Free {
			sus.Parent = int32(to[sus.Parent])
		}
		c.suspects[to[i]] = sus
	}
	for i := range c.groups {
		if w := c.groups[i].suspect; w != cluster.Free {
			c.groups[i].suspect = int32(to[w])
		}
	}
	return c
}

// reference is the definition of the package's doc, word for word and without
// any cleverness: sets of records, every pair of every group.
func (s scene) reference() []int32 {
	of := make([]int32, s.n)
	reset := func() {
		for i := range of {
			of[i] = int32(i)
		}
	}
	join := func(a, b int32) {
		x, y := min(of[a], of[b]), max(of[a], of[b])
		for i := range of {
			if of[i] == y {
				of[i] = x
			}
		}
	}
	accepted := make([]bool, len(s.suspects))
	active := func() (gs []evidence) {
		for _, e := range s.groups {
			if e.suspect == cluster.Free || accepted[e.suspect] {
				gs = append(gs, e)
			}
		}
		return gs
	}
	connect := func() {
		reset()
		for _, e := range active() {
			for _, m := range e.members {
				join(e.members[0], m)
			}
		}
	}
	for again := true; again; {
		again = false
		connect()
		for i, sus := range s.suspects {
			seen := map[int32]bool{}
			for _, r := range sus.Records {
				seen[of[r]] = true
			}
			if !accepted[i] && (sus.Parent == cluster.Free || accepted[sus.Parent]) && len(seen)+sus.Extra <= sus.Allowed {
				accepted[i], again = true, true
				break
			}
		}
	}
	connect()
	component := slices.Clone(of)
	broken := map[int32]bool{}
	for i := range of {
		all := func(j int32) bool { return component[j] == component[i] }
		if !s.allowed(all) {
			broken[component[i]] = true
		}
	}
	// What the scored pairs say, for and against; against is asked only where no
	// score links, and not between sets that force-links make.
	said, doubted := s.said(active(), component)
	for i := range of {
		if broken[component[i]] || doubted[component[i]] {
			of[i] = int32(i)
		}
	}
	type pair struct {
		group   int
		a, b    int32
		weight  float32
		members []int32
		rule    uint16
		scored  bool
	}
	var pairs []pair
	for gi, e := range active() {
		m := slices.Clone(e.members)
		slices.Sort(m)
		m = slices.Compact(m)
		for i := range m {
			for j := i + 1; j < len(m); j++ {
				pairs = append(pairs, pair{gi, m[i], m[j], e.weight, m, e.rule, e.scored})
			}
		}
	}
	slices.SortStableFunc(pairs, func(x, y pair) int {
		return cmp.Or(cmp.Compare(y.weight, x.weight), slices.Compare(x.members, y.members), cmp.Compare(x.rule, y.rule), compareBools(x.scored, y.scored),
			cmp.Compare(x.group, y.group), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	for _, p := range pairs {
		both := func(j int32) bool { return of[j] == of[p.a] || of[j] == of[p.b] }
		if of[p.a] == of[p.b] || !s.allowed(both) {
			continue
		}
		if p.scored && doubted[component[p.a]] {
			sum := 0.0
			for at, w := range said {
				if of[at[0]] == of[p.a] && of[at[1]] == of[p.b] || of[at[0]] == of[p.b] && of[at[1]] == of[p.a] {
					sum += w
				}
			}
			if sum <= 0 {
				continue
			}
		}
		join(p.a, p.b)
	}
	return of
}

// said returns what is known of each pair by scores and, below 0, by the second
// look, and the components in which anything is below 0.
func (s scene) said(active []evidence, component []int32) (map[[2]int32]float64, map[int32]bool) {
	at := func(a, b int32) [2]int32 { return [2]int32{min(a, b), max(a, b)} }
	links, vouched := map[[2]int32]float64{}, make([]int32, s.n)
	for i := range vouched {
		vouched[i] = int32(i)
	}
	for i, e := range active {
		told := at(e.members[0], e.members[1])
		if twice := slices.ContainsFunc(active[:i], func(o evidence) bool {
			return o.scored && o.rule == e.rule && o.weight == e.weight && at(o.members[0], o.members[1]) == told
		}); e.scored && !twice && e.members[0] != e.members[1] {
			links[at(e.members[0], e.members[1])] += max(float64(e.weight), 1.0/65536)
		}
		for _, m := range e.members {
			x, y := vouched[e.members[0]], vouched[m]
			for i := range vouched {
				if vouched[i] == y && e.weight >= cluster.Linked {
					vouched[i] = x
				}
			}
		}
	}
	said, doubted := map[[2]int32]float64{}, map[int32]bool{}
	for p, w := range links {
		said[p] = w
	}
	for p, w := range s.second {
		apart := component[p[0]] != component[p[1]]
		_, linked := links[p]
		open, known := false, vouched[p[0]] == vouched[p[1]]
		for l := range links {
			open = open || component[l[0]] == component[p[0]]
			v, u := at(vouched[l[0]], vouched[l[1]]), at(vouched[p[0]], vouched[p[1]])
			known = known || v == u
		}
		if !apart && !linked && open && !known && w < 0 {
			said[p], doubted[component[p[0]]] = float64(w), true
		}
	}
	return said, doubted
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// allowed says whether a set of records keeps every constraint.
func (s scene) allowed(in func(int32) bool) bool {
	for k, l := range s.limits {
		if !l.Hard || l.Max == 0 {
			continue
		}
		seen := map[uint64]bool{}
		for _, v := range s.values {
			if int(v.Kind) == k && in(v.Record) {
				seen[v.Hash] = true
			}
		}
		if len(seen) > l.Max {
			return false
		}
	}
	for _, a := range s.sides {
		for _, b := range s.sides {
			if a.Apart == b.Apart && a.Side != b.Side && in(a.Record) && in(b.Record) {
				return false
			}
		}
	}
	return true
}

// randomScene has few records and much evidence, so that constraints collide.
func randomScene(r *rand.Rand) scene {
	s := scene{n: 2 + r.IntN(14)}
	s.limits = []cluster.Limit{{Max: 1, Hard: true}, {Max: 2, Hard: true}, {Max: 1}}
	for range r.IntN(4) {
		sus := cluster.Suspect{Parent: cluster.Free, Allowed: 1 + r.IntN(4), Extra: r.IntN(2)}
		for range 1 + r.IntN(6) {
			sus.Records = append(sus.Records, int32(r.IntN(s.n)))
		}
		if n := len(s.suspects); n > 0 && r.IntN(3) == 0 {
			sus.Parent = int32(r.IntN(n))
		}
		s.suspects = append(s.suspects, sus)
	}
	for range r.IntN(1 + r.IntN(14)) {
		e := evidence{rule: uint16(r.IntN(3)), weight: float32(20 + r.IntN(3)), suspect: cluster.Free}
		for range 2 + r.IntN(4) {
			e.members = append(e.members, int32(r.IntN(s.n)))
		}
		if n := len(s.suspects); n > 0 && r.IntN(2) == 0 {
			e.suspect = int32(r.IntN(n))
			e.members = append(e.members, s.suspects[e.suspect].Records...)
		}
		s.groups = append(s.groups, e)
	}
	if r.IntN(3) > 0 {
		s.second = map[[2]int32]float32{}
		for i := range int32(s.n) {
			for j := i + 1; j < int32(s.n); j++ {
				s.second[[2]int32{i, j}] = float32(r.IntN(60)-40) / 2
			}
		}
	}
	for range r.IntN(2 * s.n) {
		e := evidence{rule: uint16(r.IntN(3)), weight: float32(r.IntN(24) - 1), suspect: cluster.Free, scored: true}
		e.members = []int32{int32(r.IntN(s.n)), int32(r.IntN(s.n))}
		s.groups = append(s.groups, e)
	}
	if r.IntN(3) == 0 {
		for range 1 + r.IntN(2) {
			s.groups = append(s.groups, evidence{rule: 3, weight: cluster.Linked, suspect: cluster.Free, members: []int32{int32(r.IntN(s.n)), int32(r.IntN(s.n))}})
		}
	}
	seen := map[[2]int]bool{}
	for range r.IntN(10) {
		v := cluster.Value{Record: int32(r.IntN(s.n)), Kind: uint16(r.IntN(3)), Hash: uint64(r.IntN(4))}
		if at := [2]int{int(v.Record), int(v.Kind)}; !seen[at] { // one value a record: it breaks no limit alone
			seen[at] = true
			s.values = append(s.values, v)
		}
	}
	for apart := range int32(r.IntN(4)) {
		for _, record := range r.Perm(s.n)[:2+r.IntN(s.n-1)] {
			s.sides = append(s.sides, cluster.Side{Record: int32(record), Apart: apart, Side: uint8(r.IntN(2 + r.IntN(2)))})
		}
	}
	return s
}
