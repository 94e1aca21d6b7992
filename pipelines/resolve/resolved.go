package resolve

import (
	"context"
	"slices"

	"github.com/weir-cdp/weir/pipelines/resolve/cluster"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
)

// This file solves the components of an increment that are touched.

// touched is the part of the graph that is solved again. Its records are numbered by
// ascending id, as those of a full run.
type touched struct {
	cluster.Graph
	*cluster.Result
	is       []bool   // by version: its component is touched
	versions []uint32 // by record: those that live
	record   []int32  // by version, -1 of others
	suspects []string
}

// solve finds the touched components, before and after, and solves them.
//
// What is untouched needs no solving: cluster.Solve decides each component by itself,
// and a component, as it is meant here, holds all that could matter to it: whatever a
// group, a pair, a suspect, the suspect that one waits for or a decision holds
// together, before the change or after it.
func (x *increment) solve(ctx context.Context) (*touched, error) {
	s := &touched{is: x.touch(), record: make([]int32, len(x.is))}
	for v := range s.record {
		s.record[v] = -1
	}
	for _, v := range x.next.Order {
		if s.is[v] {
			s.record[v] = int32(len(s.versions))
			s.versions = append(s.versions, v)
		}
	}
	s.N = len(s.versions)
	for _, l := range x.rules.Limits() {
		s.Limits = append(s.Limits, limitOf(l))
	}
	for i, v := range s.versions {
		for _, l := range unpackLimited([]byte(x.shelf.limits[v])) {
			s.Values = append(s.Values, cluster.Value{Record: int32(i), Kind: l.Index, Hash: l.Hash})
		}
	}
	x.evidence(s)
	x.decide(s)
	x.task.Count("records_touched", int64(s.N))
	return s, x.look(ctx, s)
}

// look solves the graph, with a second look as in a full run.
func (x *increment) look(ctx context.Context, s *touched) error {
	parts, err := cluster.Connect(&s.Graph)
	if err != nil {
		return err
	}
	if len(x.models) == 0 {
		s.Result = parts.Solve(nil)
		return nil
	}
	look := looking{graph: &graph{kinds: make([]recordKind, s.N)}, features: make([]string, s.N)}
	for k := range look.models {
		look.models[k] = x.models[recordKind(k).kind()]
	}
	var open []uint32
	for i, v := range s.versions {
		look.graph.kinds[i] = x.shelf.kinds[v]
		if parts.Open(int32(i)) {
			open = append(open, v)
		}
	}
	features, err := x.features(ctx, open)
	if err != nil {
		return err
	}
	for v, f := range features {
		look.features[s.record[v]] = f
	}
	s.Result = parts.Solve(look.second)
	x.task.Count("pairs_looked_at_again", int64(s.Asked))
	x.task.Count("components_doubted", int64(s.Doubted))
	return look.err()
}

// records gives the numbers of versions; false where they are not touched.
func (s *touched) records(versions []uint32) ([]int32, bool) {
	if !s.is[versions[0]] {
		return nil, false
	}
	out := make([]int32, len(versions))
	for i, v := range versions {
		out[i] = s.record[v]
	}
	return out, true
}

// evidence adds the groups, suspects and pairs of touched components.
func (x *increment) evidence(s *touched) {
	to := make([]int32, len(x.next.Suspects))
	for i, sus := range x.next.Suspects {
		if ms, yes := s.records(sus.Records); yes {
			to[i] = int32(len(s.Suspects))
			s.Suspects = append(s.Suspects, cluster.Suspect{Records: ms, Extra: int(sus.Extra), Allowed: int(sus.Allowed), Parent: cluster.Free})
			s.suspects = append(s.suspects, sus.Name)
			if sus.Parent >= 0 { // it comes before those that wait for it
				s.Suspects[to[i]].Parent = to[sus.Parent]
			}
		}
	}
	for _, g := range x.next.Groups {
		if ms, yes := s.records(g.Members); yes {
			suspect := cluster.Free
			if g.Suspect >= 0 {
				suspect = to[g.Suspect]
			}
			s.Add(g.Rule, g.Weight, suspect, ms...)
		}
	}
	model := x.rule(modelRule)
	for _, p := range x.next.Pairs {
		if s.is[p.Left] {
			s.AddScored(model, p.Weight, s.record[p.Left], s.record[p.Right])
		}
	}
}

// decide adds what people decided, as a full run does.
func (x *increment) decide(s *touched) {
	for i, d := range x.params.Decisions {
		together, stays, moves := x.present(d.Together), x.present(d.Stays), x.present(d.Moves)
		if len(together) < 2 && (len(stays) == 0 || len(moves) == 0) {
			x.task.Count("decisions_idle", 1)
			continue
		}
		if len(together) > 0 {
			if ms, yes := s.records(together); yes {
				s.Add(x.rule(linkedRule), cluster.Linked, cluster.Free, ms...)
			}
		}
		for side, versions := range [][]uint32{stays, moves} {
			for _, v := range versions {
				if s.is[v] {
					s.Sides = append(s.Sides, cluster.Side{Record: s.record[v], Apart: int32(i), Side: uint8(side)})
				}
			}
		}
	}
}

// present finds the records that are there and of one kind.
func (x *increment) present(ids []string) []uint32 {
	var out []uint32
	for _, id := range ids {
		if v, there := x.living(id); there && (len(out) == 0 || x.shelf.kinds[out[0]] == x.shelf.kinds[v]) {
			out = append(out, v)
		}
	}
	return out
}

// living finds the version of a record.
func (x *increment) living(id string) (uint32, bool) {
	i, found := slices.BinarySearchFunc(x.next.Order, id, func(v uint32, id string) int {
		switch have := x.shelf.ids[v]; {
		case have < id:
			return -1
		case have > id:
			return 1
		}
		return 0
	})
	if !found {
		return 0, false
	}
	return x.next.Order[i], true
}

// touch marks all versions, dead ones too, of components that a seed is in.
func (x *increment) touch() []bool {
	f := newJoined(len(x.is))
	for _, s := range []*index.State{x.old, x.next} {
		for _, g := range s.Groups {
			f.join(g.Members)
			if g.Suspect >= 0 {
				f.union(g.Members[0], s.Suspects[g.Suspect].Records[0])
			}
		}
		for _, p := range s.Pairs {
			f.union(p.Left, p.Right)
		}
		for _, sus := range s.Suspects {
			f.join(sus.Records)
			if sus.Parent >= 0 {
				f.union(sus.Records[0], s.Suspects[sus.Parent].Records[0])
			}
		}
	}
	for fresh, before := range x.before { // a decision names the record, not its version
		f.union(fresh, before)
	}
	for _, d := range x.params.Decisions {
		var all []uint32
		for _, ids := range [][]string{d.Together, d.Stays, d.Moves} {
			for _, id := range ids {
				if v, known := x.shelf.find(recordDigest(id)); known {
					all = append(all, v)
				}
				if v, there := x.living(id); there {
					all = append(all, v)
				}
			}
		}
		f.join(all)
	}
	seeded := make([]bool, len(x.is))
	for _, v := range x.seeds {
		seeded[f.find(v)] = true
	}
	out := make([]bool, len(x.is))
	for v := range out {
		out[v] = seeded[f.find(uint32(v))]
	}
	return out
}

// joined is a union-find over versions (Tarjan and van Leeuwen 1984).
type joined []uint32

func newJoined(n int) joined {
	j := make(joined, n)
	for i := range j {
		j[i] = uint32(i)
	}
	return j
}

func (j joined) find(v uint32) uint32 {
	for j[v] != v {
		j[v] = j[j[v]]
		v = j[v]
	}
	return v
}

func (j joined) union(a, b uint32) {
	if a, b = j.find(a), j.find(b); a != b {
		j[max(a, b)] = min(a, b)
	}
}

func (j joined) join(versions []uint32) {
	for _, v := range versions {
		j.union(versions[0], v)
	}
}
