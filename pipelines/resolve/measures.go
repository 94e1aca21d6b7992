package resolve

import (
	"cmp"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/cluster"
)

// measures counts what a run makes of the records, for identity.runs.
type measures struct {
	graph   *graph
	sources []string // ascending
	source  []uint16 // by record
	joined  [][]byte // by rule: a bit for each record that the rule joins to another
	figures map[measure]int64
}

// measure is the key of a figure beside its run.
type measure struct{ kind, source, rule, name string }

func newMeasures(g *graph) *measures {
	m := &measures{graph: g, source: make([]uint16, g.N), joined: make([][]byte, len(g.rules)), figures: map[measure]int64{}}
	for i := range m.joined {
		m.joined[i] = make([]byte, (g.N+7)/8)
	}
	at := map[string]uint16{}
	for i := range m.source { // record ids ascend, and begin with their source
		name, _, _ := strings.Cut(g.names.At(int32(i)), "/")
		n, known := at[name]
		if !known {
			n = uint16(len(m.sources))
			at[name] = n
			m.sources = append(m.sources, name)
		}
		m.source[i] = n
	}
	return m
}

func (m *measures) kind(record int32) string { return string(m.graph.kinds[record].kind()) }

// edge counts one row of identity.edges.
func (m *measures) edge(e cluster.Edge) {
	at := measure{kind: m.kind(e.Left), rule: m.graph.rules[e.Rule]}
	if e.Refused == 0 {
		m.add(at, "edges_used", 1)
		m.joined[e.Rule][e.Left/8] |= 1 << (e.Left % 8)
		m.joined[e.Rule][e.Right/8] |= 1 << (e.Right % 8)
		return
	}
	m.add(at, "edges_refused", 1)
	if limit, ok := e.Refused.Kind(); ok {
		m.add(at, "edges_limited", 1)
		m.add(measure{kind: at.kind, rule: m.graph.limits[limit].Identifier}, "limit_refused", 1)
	} else if e.Refused == cluster.Doubted {
		m.add(at, "edges_doubted", 1)
	} else {
		m.add(at, "edges_decided", 1)
	}
}

func (m *measures) add(at measure, name string, n int64) {
	at.name = name
	m.figures[at] += n
}

func (m *measures) most(at measure, name string, n int64) {
	at.name = name
	m.figures[at] = max(m.figures[at], n)
}

// count takes the clusters in.
func (m *measures) count(solved *cluster.Result) {
	size := make([]int32, len(solved.Cluster))
	for _, c := range solved.Cluster {
		size[c]++
	}
	parts := make([]tally, 2*len(m.sources)) // by source and kind
	for i := range parts {
		parts[i].joined = make([]int64, len(m.joined))
	}
	for i, c := range solved.Cluster {
		r := int32(i)
		p := &parts[2*int(m.source[r])+int(m.graph.kinds[r])]
		p.records++
		if size[c] > 1 {
			p.matched++
		}
		if m.graph.bare[r] {
			p.bare++
		}
		if c == r {
			p.profiles++
			p.largest = max(p.largest, int64(size[c]))
		}
		for rule, bits := range m.joined {
			p.joined[rule] += int64(bits[r/8] >> (r % 8) & 1)
		}
	}
	for i, p := range parts {
		if p.records > 0 {
			m.part(string(recordKind(i%2).kind()), m.sources[i/2], p)
		}
	}
	for _, h := range solved.Hubs {
		at := measure{rule: m.graph.suspects[h.Suspect]}
		m.add(at, "hubs", 1)
		m.most(at, "hub_profiles", int64(h.Profiles))
	}
	for _, o := range solved.Over {
		at := measure{kind: m.kind(o.Cluster), rule: m.graph.limits[o.Kind].Identifier}
		m.add(at, "over_limit", 1)
		m.most(at, "over_limit_most", int64(o.Values))
	}
}

// tally is what is counted of the records of one kind and source. A profile counts
// where its first record is.
type tally struct {
	records, matched, bare, profiles, largest int64
	joined                                    []int64 // by rule
}

func (m *measures) part(kind, source string, p tally) {
	of := measure{kind: kind}
	for _, at := range []measure{of, {kind: kind, source: source}} {
		m.add(at, "records", p.records)
		m.add(at, "matched", p.matched)
		m.add(at, "unlinkable", p.bare)
	}
	m.add(of, "profiles", p.profiles)
	m.most(of, "largest", p.largest)
	for rule, n := range p.joined {
		if n > 0 {
			m.add(measure{kind: kind, rule: m.graph.rules[rule]}, "matched", n)
			m.add(measure{kind: kind, source: source, rule: m.graph.rules[rule]}, "matched", n)
		}
	}
}

// write appends to identity.runs.
func (m *measures) write(t *pipelines.Task, solved *cluster.Result) error {
	m.count(solved)
	if len(m.figures) == 0 {
		return nil
	}
	keys := make([]measure, 0, len(m.figures))
	for k := range m.figures {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b measure) int {
		return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.source, b.source), strings.Compare(a.rule, b.rule), strings.Compare(a.name, b.name))
	})
	w, err := pipelines.Output[weir.IdentityFigure](t, figures, "")
	if err != nil {
		return err
	}
	run := t.Spec().Run
	for _, k := range keys {
		row := weir.IdentityFigure{RunID: run.ID, At: run.Now, Kind: k.kind, Source: k.source, Rule: k.rule, Measure: k.name, Figure: m.figures[k]}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}
