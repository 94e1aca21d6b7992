package resolve

import (
	"context"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/cluster"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
)

// graph is the clustering's input with the names of its numbers.
type graph struct {
	cluster.Graph
	names    *cluster.Names
	digests  []evidence.Hash // by record; zero without a model
	digested *digests        // made when first asked for
	bare     []bool          // by record: nothing to compare
	kinds    []recordKind    // by record
	rules    []string        // by Group.Rule, in ascending order
	limits   []evidence.Limit
	suspects []string // the identifier or rule of each suspect
	places   []int64  // by record: see placeOfRow
	again    []again
	// For the index: the anchors of the groups of rules, which come first, how many
	// scored pairs follow, the suspects' anchors.
	anchors        []uint64
	pairs          int
	suspectAnchors []uint64
}

// again is another place of a record that comes more than once.
type again struct {
	record int32
	place  int64
}

type recordKind uint8

const (
	person recordKind = iota
	account
)

func (k recordKind) kind() weir.Kind {
	if k == account {
		return weir.Account
	}
	return weir.Person
}

// loadGraph reads what read and match sent.
func loadGraph(ctx context.Context, t *pipelines.Task, r *evidence.Rules, p Params) (*graph, error) {
	g := &graph{limits: r.Limits()}
	for _, l := range g.limits {
		g.Limits = append(g.Limits, limitOf(l))
	}
	if err := g.loadRecords(ctx, t); err != nil {
		return nil, err
	}
	numbers, err := g.loadSuspects(ctx, t)
	if err != nil {
		return nil, err
	}
	l := loader{graph: g, suspects: numbers, rule: map[string]uint16{}}
	if err := l.groups(ctx, t); err != nil {
		return nil, err
	}
	if err := l.pairs(ctx, t); err != nil {
		return nil, err
	}
	l.decisions(t, p)
	l.sortRules()
	return g, nil
}

func (g *graph) loadRecords(ctx context.Context, t *pipelines.Task) error {
	rows, err := pipelines.Read[recordRow](ctx, t, "record")
	if err != nil {
		return err
	}
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].Record
	}
	if g.names, err = cluster.NewNames(ids); err != nil {
		return err
	}
	g.N = g.names.Len()
	g.kinds, g.bare, g.digests = make([]recordKind, g.N), make([]bool, g.N), make([]evidence.Hash, g.N)
	g.places = make([]int64, g.N)
	numbers := make([]int32, len(rows))
	const piece = 1 << 13
	if err := side((len(rows)+piece-1)/piece, func(n int) error {
		for i := n * piece; i < min((n+1)*piece, len(rows)); i++ {
			numbers[i] = g.names.Find(rows[i].Record)
		}
		return nil
	}); err != nil {
		return err
	}
	for i := range rows {
		row, m := &rows[i], numbers[i]
		g.bare[m], g.digests[m], g.places[m] = row.Bare, evidence.Hash{Hi: row.Hi, Lo: row.Lo}, row.Place
		if len(rows) > g.N {
			g.again = append(g.again, again{m, row.Place})
		}
		if row.Kind == string(weir.Account) {
			g.kinds[m] = account
		}
		for _, l := range unpackLimited(row.Limits) {
			g.Values = append(g.Values, cluster.Value{Record: m, Kind: l.Index, Hash: l.Hash})
		}
	}
	return nil
}

// loadSuspects returns the index of each suspect's number.
func (g *graph) loadSuspects(ctx context.Context, t *pipelines.Task) (map[int64]int32, error) {
	numbers := map[int64]int32{}
	var parents []int64
	for row, err := range pipelines.Stream[suspectRow](ctx, t, "suspect") {
		if err != nil {
			return nil, err
		}
		i, known := numbers[row.Suspect]
		if !known {
			i = int32(len(g.Suspects))
			numbers[row.Suspect] = i
			g.Suspects = append(g.Suspects, cluster.Suspect{Extra: int(row.Extra), Allowed: int(row.Allowed), Parent: cluster.Free})
			g.suspects = append(g.suspects, row.Identifier)
			g.suspectAnchors = append(g.suspectAnchors, row.Anchor)
			parents = append(parents, row.Parent)
		}
		m, err := g.find(row.Record)
		if err != nil {
			return nil, err
		}
		g.Suspects[i].Records = append(g.Suspects[i].Records, m)
	}
	for i, p := range parents {
		if p == 0 {
			continue
		}
		parent, known := numbers[p]
		if !known {
			return nil, weir.Errorf(weir.Internal, "suspect %d waits for an unknown one", i)
		}
		g.Suspects[i].Parent = parent
	}
	return numbers, nil
}

func (g *graph) find(record string) (int32, error) {
	m := g.names.Find(record)
	if m < 0 {
		return 0, weir.Errorf(weir.Internal, "evidence about a record that is not there").At(record)
	}
	return m, nil
}

// loader turns rows into groups.
type loader struct {
	*graph
	suspects map[int64]int32
	rule     map[string]uint16 // provisional numbers, in the order of arrival
}

func (l *loader) ruleOf(name string) uint16 {
	n, known := l.rule[name]
	if !known {
		n = uint16(len(l.rules))
		l.rule[name] = n
		l.rules = append(l.rules, name)
	}
	return n
}

func (l *loader) groups(ctx context.Context, t *pipelines.Task) error {
	var now groupRow
	var members []int32
	flush := func() error {
		if len(members) == 0 {
			return nil
		}
		suspect := cluster.Free
		if now.Suspect != 0 {
			i, known := l.suspects[now.Suspect]
			if !known {
				return weir.Errorf(weir.Internal, "evidence waits for an unknown suspect")
			}
			suspect = i
		}
		l.Add(l.ruleOf(now.Rule), float32(now.Weight), suspect, members...)
		if len(l.Groups) > len(l.anchors) {
			l.anchors = append(l.anchors, now.Anchor)
		}
		return nil
	}
	for row, err := range pipelines.Stream[groupRow](ctx, t, "group") {
		if err != nil {
			return err
		}
		if row.Group != now.Group {
			if err := flush(); err != nil {
				return err
			}
			now, members = row, members[:0]
		}
		m, err := l.find(row.Record)
		if err != nil {
			return err
		}
		members = append(members, m)
	}
	return flush()
}

// pairs adds what the model found.
func (l *loader) pairs(ctx context.Context, t *pipelines.Task) error {
	for b, err := range unpack(ctx, t, "pair") {
		if err != nil {
			return err
		}
		left, right, weight := readPair(b)
		i, j := l.byDigest(left), l.byDigest(right)
		if i < 0 || j < 0 {
			return weir.Errorf(weir.Internal, "a score of a record that is not there")
		}
		l.AddScored(l.ruleOf(modelRule), weight, i, j)
	}
	l.graph.pairs = len(l.Groups) - len(l.anchors)
	return nil
}

// byDigest finds a record, -1 where there is none: who has no model asks for none.
func (g *graph) byDigest(h evidence.Hash) int32 {
	g.indexDigests()
	return g.digested.find(h)
}

// indexDigests lets byDigest be used by several goroutines.
func (g *graph) indexDigests() {
	if g.digested == nil {
		g.digested = newDigests(g.digests)
	}
}

// digests is a hash table with open addressing, by a record's digest.
type digests struct {
	of    []evidence.Hash
	table []int32 // -1 is free
}

func newDigests(of []evidence.Hash) *digests {
	d := roomForDigests(of, len(of))
	for i := range of {
		d.add(int32(i))
	}
	return d
}

// roomForDigests is an empty table for n of the digests.
func roomForDigests(of []evidence.Hash, n int) *digests {
	size := 8
	for size < 2*n {
		size *= 2
	}
	d := &digests{of: of, table: make([]int32, size)}
	for i := range d.table {
		d.table[i] = -1
	}
	return d
}

func (d *digests) add(i int32) {
	at := d.slot(d.of[i])
	for d.table[at] >= 0 {
		at = (at + 1) & (len(d.table) - 1)
	}
	d.table[at] = i
}

func (d *digests) slot(h evidence.Hash) int { return int(h.Hi) & (len(d.table) - 1) }

func (d *digests) find(h evidence.Hash) int32 {
	for at := d.slot(h); ; at = (at + 1) & (len(d.table) - 1) {
		if i := d.table[at]; i < 0 || d.of[i] == h {
			return i
		}
	}
}

// decisions adds what people decided (invariant 5). A record that is gone, or that
// is of another kind than the decision's first, is left out; a decision of which
// too little is left waits: it is counted and does nothing.
func (l *loader) decisions(t *pipelines.Task, p Params) {
	for i, d := range p.Decisions {
		together, stays, moves := l.known(d.Together), l.known(d.Stays), l.known(d.Moves)
		if len(together) < 2 && (len(stays) == 0 || len(moves) == 0) {
			t.Count("decisions_idle", 1)
			continue
		}
		l.Add(l.ruleOf(linkedRule), cluster.Linked, cluster.Free, together...)
		for _, m := range stays {
			l.Sides = append(l.Sides, cluster.Side{Record: m, Apart: int32(i), Side: 0})
		}
		for _, m := range moves {
			l.Sides = append(l.Sides, cluster.Side{Record: m, Apart: int32(i), Side: 1})
		}
	}
}

// known finds the records that are there and of one kind.
func (l *loader) known(records []string) []int32 {
	var out []int32
	for _, r := range records {
		if m := l.names.Find(r); m >= 0 && (len(out) == 0 || l.kinds[out[0]] == l.kinds[m]) {
			out = append(out, m)
		}
	}
	return out
}

// sortRules renumbers rules by name: numbers settle ties, so they may not depend
// on what arrived first.
func (l *loader) sortRules() {
	sorted := slices.Clone(l.rules)
	slices.Sort(sorted)
	to := make([]uint16, len(sorted))
	for i, name := range l.rules {
		at, _ := slices.BinarySearch(sorted, name)
		to[i] = uint16(at)
	}
	for i := range l.Groups {
		l.Groups[i].Rule = to[l.Groups[i].Rule]
	}
	l.graph.rules = sorted
}
