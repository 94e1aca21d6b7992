package resolve

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/cluster"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
)

// This file writes the tables of an increment.

// write writes the tables about records, and the index.
func (x *increment) write(ctx context.Context, s *touched) error {
	rank := make([]int32, len(x.is)) // of living versions: the record's place by id
	for i, v := range x.next.Order {
		rank[v] = int32(i)
	}
	x.hubs(s)
	x.joinEdges(s, rank)
	links, err := pipelines.Output[weir.Link](x.task, links, "")
	if err != nil {
		return err
	}
	x.task.Count("index_entries", int64(len(x.next.Origin)))
	// Beside the other tables, these ask nothing of the task, and change nothing.
	var beside sync.WaitGroup
	var linked, kept error
	beside.Go(func() { linked = x.links(links.Write) })
	beside.Go(func() { kept = x.keepIndex(ctx) })
	err = x.tables(ctx, rank)
	beside.Wait()
	return cmp.Or(err, linked, kept)
}

// tables writes all but identity.links.
func (x *increment) tables(ctx context.Context, rank []int32) error {
	for _, step := range []func() error{
		func() error { return x.edges(rank) },
		func() error { return writeModels(ctx, x.task) },
		x.candidatesTable,
		x.quarantined,
		func() error { return x.identifiers(ctx) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// hubs keeps those that are untouched, and adds those of the touched components.
func (x *increment) hubs(s *touched) {
	for _, h := range x.old.Hubs {
		if !s.is[h.Record] {
			x.next.Hubs = append(x.next.Hubs, h)
		}
	}
	for _, h := range s.Hubs {
		x.next.Hubs = append(x.next.Hubs, index.Hub{Record: s.versions[s.Suspects[h.Suspect].Records[0]], Profiles: int32(h.Profiles), Name: s.suspects[h.Suspect]})
	}
	for _, o := range x.old.Over {
		if !s.is[o.Record] {
			x.next.Over = append(x.next.Over, o)
		}
	}
	for _, o := range s.Over {
		x.next.Over = append(x.next.Over, index.Over{Record: s.versions[o.Cluster], Values: int32(o.Values), Kind: o.Kind})
	}
	x.task.Count("over_soft_limit", int64(len(x.next.Over)))
	x.task.Count("components_rebuilt", int64(s.Rebuilt))
}

// joinEdges merges the touched components' edges into the others, in the order of
// the table.
func (x *increment) joinEdges(s *touched, rank []int32) {
	rules := make([]uint16, len(x.old.Rules))
	for i, name := range x.old.Rules {
		rules[i] = x.rule(name)
	}
	var fresh []cluster.Edge
	for e := range s.Edges() {
		e.Left, e.Right = rank[s.versions[e.Left]], rank[s.versions[e.Right]]
		fresh = append(fresh, e)
	}
	fresh = sortEdges(fresh)
	out := make([]index.Edge, 0, len(x.old.Edges)+len(fresh))
	add := func(e cluster.Edge) {
		out = append(out, index.Edge{Left: x.next.Order[e.Left], Right: x.next.Order[e.Right], Weight: e.Weight, Refused: int32(e.Refused), Against: e.Against, Rule: e.Rule})
	}
	for _, e := range x.old.Edges {
		if s.is[e.Left] {
			continue
		}
		e.Rule = rules[e.Rule]
		at := cluster.Edge{Left: rank[e.Left], Right: rank[e.Right], Rule: e.Rule}
		for len(fresh) > 0 && compareEdges(fresh[0], at) < 0 {
			add(fresh[0])
			fresh = fresh[1:]
		}
		out = append(out, e)
	}
	for _, e := range fresh {
		add(e)
	}
	x.next.Edges = out
}

// edges writes identity.edges and identity.runs, which counts them.
func (x *increment) edges(rank []int32) error {
	w, err := pipelines.Output[weir.Edge](x.task, edges, "")
	if err != nil {
		return err
	}
	m, solved := x.measures(rank)
	var used int64
	for _, e := range x.next.Edges {
		at := cluster.Edge{Left: rank[e.Left], Right: rank[e.Right], Rule: e.Rule, Weight: e.Weight, Refused: cluster.Refusal(e.Refused), Against: e.Against}
		row := edgeRow(at, x.next.Rules[e.Rule], x.rules.Limits(), x.params.Decisions)
		row.Left, row.Right = x.shelf.ids[e.Left], x.shelf.ids[e.Right]
		if row.Rule == modelRule {
			row.ModelVersion = x.models[x.shelf.kinds[e.Left].kind()].Version()
		}
		m.edge(at)
		if row.Used {
			used++
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	x.task.Count("edges_used", used)
	x.task.Count("edges_refused", int64(len(x.next.Edges))-used)
	return m.write(x.task, solved)
}

// measures makes what measures.count needs, of all living records.
func (x *increment) measures(rank []int32) (*measures, *cluster.Result) {
	n := len(x.next.Order)
	g := &graph{kinds: make([]recordKind, n), bare: make([]bool, n), rules: x.next.Rules, limits: x.rules.Limits()}
	g.N = n
	m := &measures{graph: g, source: make([]uint16, n), joined: make([][]byte, len(g.rules)), figures: map[measure]int64{}}
	for i := range m.joined {
		m.joined[i] = make([]byte, (n+7)/8)
	}
	solved := &cluster.Result{Cluster: make([]int32, n)}
	first := make([]int32, len(x.next.Profiles))
	for i := range first {
		first[i] = -1
	}
	last := ""
	for i, v := range x.next.Order {
		g.kinds[i], g.bare[i] = x.shelf.kinds[v], x.shelf.bare[v]
		if g.bare[i] {
			x.task.Count("unlinkable", 1)
		}
		p := x.next.Profile[v]
		if first[p] < 0 {
			first[p] = int32(i)
			x.task.Count("profiles_"+string(g.kinds[i].kind()), 1)
		}
		solved.Cluster[i] = first[p]
		if name, _, _ := strings.Cut(x.shelf.ids[v], "/"); i == 0 || name != last { // ids ascend
			last = name
			m.sources = append(m.sources, name)
		}
		m.source[i] = uint16(len(m.sources) - 1)
	}
	for i, h := range x.next.Hubs {
		g.suspects = append(g.suspects, h.Name)
		solved.Hubs = append(solved.Hubs, cluster.Hub{Suspect: i, Profiles: int(h.Profiles)})
	}
	for _, o := range x.next.Over {
		solved.Over = append(solved.Over, cluster.Over{Cluster: rank[o.Record], Kind: o.Kind, Values: int(o.Values)})
	}
	x.task.Count("records", int64(n))
	return m, solved
}

func (x *increment) candidatesTable() error {
	near := x.nearest()
	if len(near) == 0 {
		return nil
	}
	rows := make([]weir.Candidate, 0, len(near))
	for _, u := range near {
		rows = append(rows, candidate(u.uncertainRow, x.shelf.ids[u.left], x.shelf.ids[u.right], x.next.Profile[u.left] == x.next.Profile[u.right]))
	}
	return outputCandidates(x.task, rows)
}

// quarantined writes the rows of resolve's scope of ops.quarantine again: records
// that contradict themselves, and hubs.
func (x *increment) quarantined() error {
	run := x.task.Spec().Run
	var bad []uint32
	for v := range x.shelf.contradicted {
		if x.is[v] {
			bad = append(bad, v)
		}
	}
	slices.Sort(bad)
	for _, v := range bad {
		for _, kind := range x.shelf.contradicted[v] {
			w, err := pipelines.Output[weir.Quarantined](x.task, quarantine, pipelines.QuarantineScope(weir.Resolve, "", ""))
			if err != nil {
				return err
			}
			x.task.Count("quarantined", 1)
			if err := w.Write(contradiction(weir.Quarantined{RunID: run.ID, Stage: weir.Resolve, At: run.Now}, x.shelf.ids[v], kind)); err != nil {
				return err
			}
		}
	}
	rows := make([]weir.Quarantined, 0, len(x.next.Hubs))
	for _, h := range x.next.Hubs {
		rows = append(rows, hubRow(h.Name, int(h.Profiles)))
	}
	return writeHubs(x.task, rows)
}

// links writes identity.links.
func (x *increment) links(write func(weir.Link) error) error {
	for _, v := range x.next.Order {
		if err := write(weir.Link{RecordID: x.shelf.ids[v], ProfileID: x.profile(v)}); err != nil {
			return err
		}
	}
	return nil
}
