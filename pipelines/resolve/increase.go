package resolve

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
)

// increment is what the partition task of an increment works on. Lists are by
// version, those of before first.
type increment struct {
	task     *pipelines.Task
	params   IncrementParams
	rules    *evidence.Rules
	models   modelsByKind
	old      *index.State
	next     *index.State
	shelf    *shelf // with what this run added to the log
	log      *log
	known    int               // versions that the index knew
	was, is  []bool            // whether the version lived before, and lives now
	fresh    []uint32          // versions of this run, ascending
	dead     []uint32          // versions that lived and do no more, ascending
	before   map[uint32]uint32 // of a fresh version the one whose place it takes
	seeds    []uint32          // versions whose components are touched
	profiles map[string]bool   // see livingProfiles
}

// increase is the partition step of an increment.
func increase(ctx context.Context, t *pipelines.Task) error {
	x := &increment{task: t, next: &index.State{}}
	return spared(t, x.run(ctx))
}

// spared turns what an index that is damaged or gone leads to into a refusal: a full
// run mends it.
func spared(t *pipelines.Task, err error) error {
	if err == nil {
		return nil
	}
	switch weir.CodeOf(err) {
	case weir.NotFound, weir.Internal:
		if refused := refuse(t, "index_unusable"); weir.CodeOf(refused) != weir.Conflict {
			return refused
		}
		return weir.Errorf(weir.Conflict, "the increment was refused: %w", err)
	}
	return err
}

func (x *increment) run(ctx context.Context) error {
	t := x.task
	var err error
	if x.params, err = pipelines.Params[IncrementParams](t); err != nil {
		return err
	}
	if x.rules, err = rules(t); err != nil {
		return err
	}
	if x.models, err = models(ctx, t); err != nil {
		return err
	}
	if err := x.open(ctx); err != nil {
		return err
	}
	if err := x.changes(ctx); err != nil {
		return err
	}
	if err := x.regroup(ctx); err != nil {
		return err
	}
	if err := x.compare(ctx); err != nil {
		return err
	}
	s, err := x.solve(ctx)
	if err != nil {
		return err
	}
	if err := x.name(ctx, s); err != nil {
		return err
	}
	return x.write(ctx, s)
}

// open loads the index and what the run added to its log, and checks that the
// index holds.
func (x *increment) open(ctx context.Context) error {
	base, err := shelved(ctx, x.task, x.params.Keep.From)
	if err != nil {
		return err
	}
	m := base.manifest
	if m.Basis != x.params.Keep.Basis || len(m.Models) != len(x.models) {
		return refuse(x.task, "other_rules")
	}
	for kind, have := range x.models {
		if m.Models[string(kind)] != have.Version() {
			return refuse(x.task, "other_model")
		}
	}
	x.old, x.known = base.state, len(base.ids)
	if x.log, err = readLog(ctx, x.task, x.known, uint32(len(m.Origins))); err != nil {
		return err
	}
	x.shelf, err = base.with(ctx, x.log.parts)
	return err
}

// changes finds out which versions live.
func (x *increment) changes(ctx context.Context) error {
	n := len(x.shelf.ids)
	x.was, x.is = make([]bool, n), make([]bool, n)
	x.next.Origin = append(slices.Clone(x.old.Origin), x.log.origin...)
	lost := make([]bool, len(x.shelf.manifest.Origins))
	for _, o := range x.params.Lost {
		lost[o] = true
	}
	for v, o := range x.old.Origin {
		x.was[v] = o != index.Dead
		x.is[v] = x.was[v] && !lost[o]
	}
	twice := false
	if err := each(pipelines.Stream[sameRow](ctx, x.task, "same"), func(row sameRow) error {
		origin := x.log.tasks[row.Task].origin
		for b := row.Versions; len(b) >= 4; b = b[4:] {
			v := binary.LittleEndian.Uint32(b)
			twice = twice || x.is[v] // also in a file that was not read
			x.is[v], x.next.Origin[v] = true, origin
		}
		return nil
	}); err != nil {
		return err
	}
	x.before = map[uint32]uint32{}
	seen := make(map[evidence.Hash]bool, n-x.known)
	for v := uint32(x.known); int(v) < n; v++ {
		d := x.shelf.digest[v]
		twice = twice || seen[d]
		seen[d], x.is[v] = true, true
		x.fresh = append(x.fresh, v)
		if b, known := x.shelf.find(d); known {
			x.before[v] = b
			twice = twice || x.is[b]
		}
	}
	if twice { // a record id in two files: the order of the files would decide
		return refuse(x.task, "record_twice")
	}
	for v := range x.known {
		if x.was[v] && !x.is[v] {
			x.dead = append(x.dead, uint32(v))
			x.next.Origin[v] = index.Dead
		}
	}
	x.seeds = append(slices.Clone(x.fresh), x.dead...)
	x.task.Count("increment", 1)
	x.task.Count("records_new", int64(len(x.fresh)-len(x.before)))
	x.task.Count("records_changed", int64(len(x.before)))
	x.task.Count("records_deleted", int64(len(x.dead)-len(x.before)))
	x.order()
	base := 0 // living versions of the full run
	for v := range x.shelf.manifest.Base {
		if x.is[v] {
			base++
		}
	}
	if (n-base)*100 > Most*n {
		return refuse(x.task, "index_worn")
	}
	return nil
}

// order puts the fresh versions where they belong among the living.
func (x *increment) order() {
	ids := x.shelf.ids
	fresh := slices.Clone(x.fresh)
	slices.SortFunc(fresh, func(a, b uint32) int { return cmp.Compare(ids[a], ids[b]) })
	out := make([]uint32, 0, len(x.old.Order)+len(fresh))
	for _, v := range x.old.Order {
		for len(fresh) > 0 && ids[fresh[0]] < ids[v] {
			out, fresh = append(out, fresh[0]), fresh[1:]
		}
		if x.is[v] {
			out = append(out, v)
		}
	}
	x.next.Order = append(out, fresh...)
}

// regroup matches the keys of all anchors that a fresh or dead version has. The
// groups of other anchors stay.
func (x *increment) regroup(ctx context.Context) error {
	touched, err := x.anchors(ctx)
	if err != nil {
		return err
	}
	keys, err := scanLog(ctx, x.shelf, index.Keys, nil, func(first uint32, n int, text string) (keyed, error) {
		var rows []*keyRow
		var versions []uint32
		err := index.EachKey(text, n, func(i int, k index.Key) {
			if v := first + uint32(i); x.is[v] && touched[k.Anchor.Hi] {
				rows = append(rows, &keyRow{Of: string(x.shelf.kinds[v].kind()), Rule: k.Rule, Hi: k.Hash.Hi, Lo: k.Hash.Lo,
					AnchorHi: k.Anchor.Hi, AnchorLo: k.Anchor.Lo, Record: x.shelf.ids[v], Tells: []byte(k.Tells)})
				versions = append(versions, v)
			}
		})
		return keyed{rows, versions}, err
	})
	if err != nil {
		return err
	}
	r := regrouping{increment: x, version: map[string]uint32{}, suspects: map[int64]int32{}, rules: map[string]uint16{}}
	var all []*keyRow
	for _, k := range keys {
		for i, row := range k.rows {
			r.version[row.Record] = k.versions[i]
		}
		all = append(all, k.rows...)
	}
	r.keep(touched)
	m := matcher{rules: x.rules, next: 1, toGroup: r.group, toSuspect: r.suspect}
	if err := m.all(all); err != nil {
		return err
	}
	r.sortRules()
	x.task.Count("anchors_touched", int64(len(touched)))
	return nil
}

// keyed is keys of versions.
type keyed struct {
	rows     []*keyRow
	versions []uint32
}

// anchors lists the anchors of fresh and dead versions.
func (x *increment) anchors(ctx context.Context) (map[uint64]bool, error) {
	moved := append(slices.Clone(x.dead), x.fresh...)
	found, err := scanLog(ctx, x.shelf, index.Keys, x.shelf.holding(moved), func(first uint32, n int, text string) (out []uint64, _ error) {
		err := index.EachKey(text, n, func(i int, k index.Key) {
			if v := first + uint32(i); int(v) >= x.known || x.was[v] && !x.is[v] {
				out = append(out, k.Anchor.Hi)
			}
		})
		return out, err
	})
	touched := map[uint64]bool{}
	for _, list := range found {
		for _, a := range list {
			touched[a] = true
		}
	}
	return touched, err
}

// regrouping turns the matcher's rows into the next state's groups.
type regrouping struct {
	*increment
	version  map[string]uint32
	suspects map[int64]int32 // the matcher's numbers
	rules    map[string]uint16
	last     int64 // the group to which the last row belonged
}

// keep takes over what no touched anchor made, and notes what goes.
func (r *regrouping) keep(touched map[uint64]bool) {
	to := make([]int32, len(r.old.Suspects))
	for i, s := range r.old.Suspects {
		if touched[s.Anchor] {
			r.seed(s.Records)
			continue
		}
		to[i] = int32(len(r.next.Suspects))
		r.next.Suspects = append(r.next.Suspects, s)
	}
	for i := range r.next.Suspects {
		if p := r.next.Suspects[i].Parent; p >= 0 {
			r.next.Suspects[i].Parent = to[p] // of the same anchor: it stays too
		}
	}
	for _, g := range r.old.Groups {
		if touched[g.Anchor] {
			r.seed(g.Members)
			continue
		}
		if g.Suspect >= 0 {
			g.Suspect = to[g.Suspect]
		}
		g.Rule = r.rule(r.old.Rules[g.Rule])
		r.next.Groups = append(r.next.Groups, g)
	}
}

func (x *increment) seed(versions []uint32) { x.seeds = append(x.seeds, versions...) }

func (r *regrouping) rule(name string) uint16 {
	n, known := r.rules[name]
	if !known {
		n = uint16(len(r.next.Rules))
		r.rules[name] = n
		r.next.Rules = append(r.next.Rules, name)
	}
	return n
}

func (r *regrouping) suspect(row suspectRow) error {
	i, known := r.suspects[row.Suspect]
	if !known {
		s := index.Suspect{Anchor: row.Anchor, Extra: int32(row.Extra), Allowed: int32(row.Allowed), Parent: -1, Name: row.Identifier}
		if row.Parent != 0 {
			s.Parent, known = r.suspects[row.Parent]
			if !known {
				return weir.Errorf(weir.Internal, "a suspect waits for an unknown one")
			}
		}
		i = int32(len(r.next.Suspects))
		r.suspects[row.Suspect] = i
		r.next.Suspects = append(r.next.Suspects, s)
	}
	v := r.version[row.Record]
	r.next.Suspects[i].Records = append(r.next.Suspects[i].Records, v)
	r.seeds = append(r.seeds, v)
	return nil
}

func (r *regrouping) group(row groupRow) error {
	if row.Group != r.last {
		r.last = row.Group
		g := index.Group{Anchor: row.Anchor, Suspect: -1, Weight: float32(row.Weight), Rule: r.rule(row.Rule)}
		if row.Suspect != 0 {
			i, known := r.suspects[row.Suspect]
			if !known {
				return weir.Errorf(weir.Internal, "evidence waits for an unknown suspect")
			}
			g.Suspect = i
		}
		r.next.Groups = append(r.next.Groups, g)
	}
	v := r.version[row.Record]
	g := &r.next.Groups[len(r.next.Groups)-1]
	g.Members = append(g.Members, v)
	r.seeds = append(r.seeds, v)
	return nil
}

// sortRules numbers the rules by name, with those that other evidence needs.
func (r *regrouping) sortRules() {
	for _, name := range r.old.Rules {
		r.rule(name)
	}
	r.rule(modelRule)
	r.rule(linkedRule)
	names := slices.Sorted(slices.Values(r.next.Rules))
	to := make([]uint16, len(names))
	for i, name := range r.next.Rules {
		at, _ := slices.BinarySearch(names, name)
		to[i] = uint16(at)
	}
	for i := range r.next.Groups {
		r.next.Groups[i].Rule = to[r.next.Groups[i].Rule]
	}
	r.next.Rules = names
}

// rule is the number of a rule of the next state.
func (x *increment) rule(name string) uint16 {
	i, _ := slices.BinarySearch(x.next.Rules, name)
	return uint16(i)
}
