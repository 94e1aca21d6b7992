package resolve

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/cluster"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/stableid"
)

// linkedRule names the edges of a person's decision.
const linkedRule = "linked"

// partition clusters all records and names the profiles.
func partition(ctx context.Context, t *pipelines.Task) error {
	r, err := rules(t)
	if err != nil {
		return err
	}
	p, err := pipelines.Params[Params](t)
	if err != nil {
		return err
	}
	g, err := loadGraph(ctx, t, r, p)
	if err != nil {
		return err
	}
	solved, err := solve(ctx, t, g)
	if err != nil {
		return err
	}
	if err := reportHubs(t, g, solved); err != nil {
		return err
	}
	t.Count("over_soft_limit", int64(len(solved.Over)))
	t.Count("components_rebuilt", int64(solved.Rebuilt))
	m := newMeasures(g)
	edging, err := writeEdges(ctx, t, g, solved, p, m)
	if err != nil {
		return err
	}
	defer edging.done.Wait()
	if err := writeModels(ctx, t); err != nil {
		return err
	}
	if err := writeCandidates(ctx, t, g, solved.Cluster); err != nil {
		return err
	}
	named, prior, err := name(ctx, t, g, solved.Cluster)
	if err != nil {
		return err
	}
	index := keepWith(ctx, t, g, solved, edging, named.ID)
	defer index.done.Wait()
	why := reasons(g, p, func(m int32) (string, string) { return prior.of(m), named.ID[solved.Cluster[m]] })
	if err := writeMerges(t, named.Changes, why); err != nil {
		return err
	}
	if err := writeMoves(t, g, prior, solved.Cluster, named.ID); err != nil {
		return err
	}
	if err := writeLinks(t, g, solved.Cluster, named.ID); err != nil {
		return err
	}
	if err := edging.Wait(); err != nil {
		return err
	}
	t.Count("edges_used", edging.used)
	t.Count("edges_refused", edging.refused)
	if err := m.drifted(ctx, t); err != nil {
		return err
	}
	if err := m.write(t, solved); err != nil {
		return err
	}
	return index.Wait(t)
}

// reportHubs counts the hubs and puts one row a hub into ops.quarantine, without
// its value.
func reportHubs(t *pipelines.Task, g *graph, solved *cluster.Result) error {
	rows := make([]weir.Quarantined, 0, len(solved.Hubs))
	for _, h := range solved.Hubs {
		rows = append(rows, hubRow(g.suspects[h.Suspect], h.Profiles))
	}
	return writeHubs(t, rows)
}

func hubRow(name string, profiles int) weir.Quarantined {
	return weir.Quarantined{Field: name, Reason: "hub: shared by " + plural(profiles, "profile")}
}

// writeHubs writes the rows of hubs in their order.
func writeHubs(t *pipelines.Task, rows []weir.Quarantined) error {
	slices.SortFunc(rows, func(a, b weir.Quarantined) int {
		return strings.Compare(a.Field+"\x00"+a.Reason, b.Field+"\x00"+b.Reason)
	})
	t.Count("hubs", int64(len(rows)))
	if len(rows) == 0 {
		return nil
	}
	// Not through Quarantine: a hub is found, not withheld, and the run is whole.
	w, err := pipelines.Output[weir.Quarantined](t, quarantine, pipelines.QuarantineScope(weir.Resolve, "", ""))
	if err != nil {
		return err
	}
	run := t.Spec().Run
	for _, q := range rows {
		q.RunID, q.Stage, q.At = run.ID, weir.Resolve, run.Now
		if err := w.Write(q); err != nil {
			return err
		}
	}
	return nil
}

// edging is the writing of identity.edges, which goes on while profiles are named.
type edging struct {
	done          sync.WaitGroup
	failed        error
	used, refused int64
	all           []cluster.Edge // those that were written, in their order
}

// Wait returns when all edges are written.
func (x *edging) Wait() error {
	x.done.Wait()
	return x.failed
}

// writeEdges begins to write identity.edges, one row for two records and a rule.
// Until Wait, m is its own.
func writeEdges(ctx context.Context, t *pipelines.Task, g *graph, solved *cluster.Result, p Params, m *measures) (*edging, error) {
	ms, err := models(ctx, t)
	if err != nil {
		return nil, err
	}
	w, err := pipelines.Output[weir.Edge](t, edges, "")
	if err != nil {
		return nil, err
	}
	e := &edging{}
	e.done.Go(func() {
		e.all = sortedEdges(g, solved)
		e.failed = e.write(w.Write, g, ms, p, m)
	})
	return e, nil
}

func sortedEdges(g *graph, solved *cluster.Result) []cluster.Edge {
	all := make([]cluster.Edge, 0, len(g.Members)-len(g.Groups))
	for e := range solved.Edges() {
		all = append(all, e)
	}
	return sortEdges(all)
}

// sortEdges puts edges in the order of the table and leaves one for two records and
// a rule.
func sortEdges(all []cluster.Edge) []cluster.Edge {
	slices.SortFunc(all, compareEdges)
	return slices.CompactFunc(all, func(a, b cluster.Edge) bool {
		return a.Left == b.Left && a.Right == b.Right && a.Rule == b.Rule
	})
}

func compareEdges(a, b cluster.Edge) int {
	switch {
	case a.Left != b.Left:
		return int(a.Left) - int(b.Left)
	case a.Right != b.Right:
		return int(a.Right) - int(b.Right)
	case a.Rule != b.Rule:
		return int(a.Rule) - int(b.Rule)
	case (a.Refused == 0) != (b.Refused == 0): // used before refused
		if a.Refused == 0 {
			return -1
		}
		return 1
	}
	return int(a.Refused) - int(b.Refused)
}

// edgeRow says of an edge what is not of its records.
func edgeRow(e cluster.Edge, rule string, limits []evidence.Limit, decisions []Decision) weir.Edge {
	// Graph weights are single precision: give back the configured figure.
	weight := math.Round(float64(e.Weight)*1e4) / 1e4
	row := weir.Edge{Rule: rule, Weight: weight, Probability: 1 / (1 + math.Exp2(-weight)), Used: e.Refused == 0}
	if kind, limit := e.Refused.Kind(); limit {
		row.RefusedBy = "limit: " + limits[kind].Identifier
	} else if decision, apart := e.Refused.Apart(); apart {
		row.RefusedBy = "do_not_link: " + decisions[decision].ID
	} else if e.Refused == cluster.Doubted {
		row.RefusedBy = fmt.Sprintf("doubt: %.1f", e.Against)
	}
	return row
}

func (x *edging) write(write func(weir.Edge) error, g *graph, ms map[weir.Kind]*model.Model, p Params, m *measures) error {
	for _, e := range x.all {
		row := edgeRow(e, g.rules[e.Rule], g.limits, p.Decisions)
		row.Left, row.Right = g.names.At(e.Left), g.names.At(e.Right)
		if row.Rule == modelRule {
			row.ModelVersion = ms[g.kinds[e.Left].kind()].Version()
		}
		m.edge(e)
		if row.Used {
			x.used++
		} else {
			x.refused++
		}
		if err := write(row); err != nil {
			return err
		}
	}
	return nil
}

// name gives the clusters their ids.
func name(ctx context.Context, t *pipelines.Task, g *graph, clusters []int32) (stableid.Assignment, before, error) {
	prior, err := loadBefore(ctx, t, g)
	if err != nil {
		return stableid.Assignment{}, prior, err
	}
	in := stableid.Input{Cluster: clusters, Prior: prior.profile, IDs: prior.ids}
	if in.Used, err = used(ctx, t); err != nil {
		return stableid.Assignment{}, prior, err
	}
	workspace := t.Spec().Run.Workspace
	in.Derive = func(m int32, salt int) string {
		return stableid.Derive(workspace, g.kinds[m].kind(), g.names.At(m), salt)
	}
	in.Ended = func(priors []int32) ([]stableid.Ended, error) { return ended(ctx, t, g.names.Find, prior.ids, priors) }
	named, err := stableid.Assign(in)
	return named, prior, err
}

// used reads the ids that identity.merges knows. 64 bits of each are enough:
// one taken by mistake costs a salt.
func used(ctx context.Context, t *pipelines.Task) (func(string) bool, error) {
	sum := func(id string) uint64 {
		h := fnv.New64a()
		h.Write([]byte(id))
		return h.Sum64()
	}
	known := map[uint64]struct{}{}
	for row, err := range pipelines.Stream[usedRow](ctx, t, "used") {
		if err != nil {
			return nil, err
		}
		known[sum(row.ID)] = struct{}{}
	}
	return func(id string) bool { _, ok := known[sum(id)]; return ok }, nil
}

// writeMerges appends to identity.merges. Why may be nil.
func writeMerges(t *pipelines.Task, changes []stableid.Change, why explained) error {
	if len(changes) == 0 {
		return nil
	}
	changes = slices.Clone(changes)
	slices.SortFunc(changes, func(a, b stableid.Change) int {
		return strings.Compare(a.Change+"\x00"+a.From+"\x00"+a.To, b.Change+"\x00"+b.From+"\x00"+b.To)
	})
	w, err := pipelines.Output[weir.Merge](t, merges, "")
	if err != nil {
		return err
	}
	run := t.Spec().Run
	for _, c := range changes {
		row := weir.Merge{RunID: run.ID, At: run.Now, Change: c.Change, From: c.From, To: c.To, Reason: "nothing of it is left"}
		if c.To != "" {
			row.Reason = fmt.Sprintf("%d of %s", c.Shared, plural(c.Of, "member"))
		}
		if d := why.by(c); d != nil {
			row.Reason, row.Author = d.By+": "+d.Reason, d.Author
		}
		t.Count("ids_"+c.Change, 1)
		if err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// writeLinks writes identity.links, and sends each link to where its record is.
func writeLinks(t *pipelines.Task, g *graph, clusters []int32, ids []string) error {
	w, err := pipelines.Output[weir.Link](t, links, "")
	if err != nil {
		return err
	}
	for m, c := range clusters {
		record, profile := g.names.At(int32(m)), ids[c]
		if int32(m) == c {
			t.Count("profiles_"+string(g.kinds[m].kind()), 1)
		}
		if err := w.Write(weir.Link{RecordID: record, ProfileID: profile}); err != nil {
			return err
		}
		if err := pipelines.Emit(t, "own:link", 0, linkRow{Place: g.places[m], Profile: profile}); err != nil {
			return err
		}
	}
	for _, a := range g.again {
		if err := pipelines.Emit(t, "own:link", 0, linkRow{Place: a.place, Profile: ids[clusters[a.record]]}); err != nil {
			return err
		}
	}
	return nil
}

// limitOf turns a rule's limit into the clustering's.
func limitOf(l evidence.Limit) cluster.Limit { return cluster.Limit{Max: l.Max, Hard: l.Hard} }
