package resolve

import (
	"context"
	"maps"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/sorting"
)

// value is all that is known of one identifier value.
type value struct {
	held      bool   // by a record
	owner     string // the one profile that holds it
	ambiguous bool
	blocked   bool
	account   bool // owner holds it as an account
	seen      bool
	before    string
}

// hold adds that a record of a profile holds the value. Of a person and an
// account that both hold it, the person has it: events are about people.
func (v *value) hold(o ownedRow) {
	first := !v.held || (v.owner == "" && !v.ambiguous)
	v.held = true
	switch {
	case o.Blocked:
		v.blocked = true
	case first, v.account && !o.Account:
		v.owner, v.account, v.ambiguous = o.Profile, o.Account, false
	case o.Account && !v.account, v.owner == o.Profile:
	default:
		v.owner, v.ambiguous = "", true
	}
}

// settle says where the value leads: to a profile, nowhere, or (node) to where
// the values are that it was seen with.
func (v *value) settle() (node bool) {
	switch {
	case v.owner != "":
	case v.held, v.blocked:
		v.ambiguous = true
	default:
		node = v.seen
	}
	return node
}

type identifier struct{ kind, value string }

// attribute finds the profile of each value of one partition, and sends on what
// place must know of the values without one. Where there are none, it writes the
// partition of identity.identifiers; else that waits for place.
func attribute(ctx context.Context, t *pipelines.Task) error {
	r, err := rules(t)
	if err != nil {
		return err
	}
	values, err := gather(ctx, t, r)
	if err != nil {
		return err
	}
	out := identifierTable{task: t}
	known := out.write
	if values.wait() {
		known = func(row knownRow) error { return pipelines.Emit(t, "identifiers:known", t.Partition(), row) }
	}
	for _, kind := range slices.Sorted(maps.Keys(values)) {
		of := values[kind]
		for i, text := range of.texts {
			if err := settle(t, r, identifier{kind, text}, &of.values[i], known); err != nil {
				return err
			}
		}
	}
	return each(pipelines.Stream[besideRow](ctx, t, "beside"), func(b besideRow) error {
		return beside(t, r, b, values.of(identifier{b.Kind, b.Value}))
	})
}

// values are those of one partition, by kind.
type values map[string]*valuesOf

// valuesOf is the values of one kind, ascending, with what is known of them.
type valuesOf struct {
	texts  []string
	values []value
	told   []told // of texts, which repeat and are in any order, until they are sorted
}

// told is what one row says of a value.
type told struct {
	profile string
	held, blocked, account,
	seen, before bool
}

// of returns nil where the value is unknown.
func (vs values) of(id identifier) *value {
	if of := vs[id.kind]; of != nil {
		if i, known := slices.BinarySearch(of.texts, id.value); known {
			return &of.values[i]
		}
	}
	return nil
}

func (vs values) tell(kind, text string, what told) {
	of := vs[kind]
	if of == nil {
		of = &valuesOf{}
		vs[kind] = of
	}
	of.texts, of.told = append(of.texts, text), append(of.told, what)
}

// sort brings what was told of each value together.
func (of *valuesOf) sort() {
	var texts []string
	for _, i := range sorting.Order(of.texts) {
		if n := len(texts); n == 0 || texts[n-1] != of.texts[i] {
			texts, of.values = append(texts, of.texts[i]), append(of.values, value{})
		}
		v, what := &of.values[len(of.values)-1], &of.told[i]
		switch {
		case what.held:
			v.hold(ownedRow{Profile: what.profile, Blocked: what.blocked, Account: what.account})
		case what.seen:
			v.seen, v.blocked = true, v.blocked || what.blocked
		case what.before:
			v.before = what.profile
		}
	}
	of.texts, of.told = texts, nil
}

// wait says whether there is a value whose profile only place knows.
func (vs values) wait() bool {
	for _, of := range vs {
		if slices.ContainsFunc(of.values, func(v value) bool { return v.settle() }) {
			return true
		}
	}
	return false
}

func compareIdentifiers(a, b identifier) int {
	if a.kind != b.kind {
		if a.kind < b.kind {
			return -1
		}
		return 1
	}
	switch {
	case a.value < b.value:
		return -1
	case a.value > b.value:
		return 1
	}
	return 0
}

// gather reads all that is known of the values of a partition, and claims accounts for
// the records that hold them.
func gather(ctx context.Context, t *pipelines.Task, r *evidence.Rules) (values, error) {
	vs := values{}
	hold := func(o ownedRow) {
		vs.tell(o.Kind, o.Value, told{profile: o.Profile, held: true, blocked: o.Blocked, account: o.Account})
	}
	if pipelines.Sent(t, "held") > 0 {
		owners, err := allOwners(ctx, t)
		if err != nil {
			return nil, err
		}
		if err := each(pipelines.Stream[heldRow](ctx, t, "held"), func(h heldRow) error {
			profile, err := owners.at(h.Place)
			if err != nil {
				return err
			}
			hold(owned(r, h, profile))
			return claim(t, r, h, profile)
		}); err != nil {
			return nil, err
		}
	}
	if err := each(pipelines.Stream[ownedRow](ctx, t, "owned"), func(o ownedRow) error { hold(o); return nil }); err != nil {
		return nil, err
	}
	if err := each(pipelines.Stream[seenRow](ctx, t, "seen"), func(s seenRow) error {
		vs.tell(s.Kind, s.Value, told{seen: true, blocked: s.Blocked})
		return nil
	}); err != nil {
		return nil, err
	}
	if err := each(pipelines.Stream[beforeRow](ctx, t, "before"), func(b beforeRow) error {
		vs.tell(b.Kind, b.Value, told{before: true, profile: b.Profile})
		return nil
	}); err != nil {
		return nil, err
	}
	for _, of := range vs {
		of.sort()
	}
	return vs, nil
}

func settle(t *pipelines.Task, r *evidence.Rules, id identifier, v *value, known func(knownRow) error) error {
	node := v.settle()
	if node {
		h := valueHash(id.kind, id.value)
		row := nodeRow{Hi: h.Hi, Lo: h.Lo, Partition: int64(t.Partition()), Links: r.Links(id.kind),
			Device: evidence.IsDevice(id.kind), SharedBy: int64(r.SharedBy(id.kind)), Before: v.before}
		if err := pipelines.Emit(t, "node", 0, row); err != nil {
			return err
		}
	} else if v.before != "" {
		h := valueHash(id.kind, id.value)
		if err := pipelines.Emit(t, "moved", 0, movedRow{Hi: h.Hi, Lo: h.Lo, Before: v.before, Now: v.owner}); err != nil {
			return err
		}
	}
	if !v.held && !v.seen {
		return nil // only of before
	}
	return known(knownRow{Kind: id.kind, Value: id.value, Profile: v.owner, Ambiguous: v.ambiguous, Node: node})
}

// beside tells place what a value's neighbour was seen with: a known profile, or
// another value that no record holds.
func beside(t *pipelines.Task, r *evidence.Rules, b besideRow, v *value) error {
	switch {
	case v == nil:
		return weir.Errorf(weir.Internal, "a value was seen beside another, but not seen")
	case v.owner != "":
		if !r.Links(b.Kind) {
			return nil // link: false is no evidence for its neighbours
		}
		return pipelines.Emit(t, "attached", 0, attachedRow{Hi: b.Hi, Lo: b.Lo, Profile: v.owner})
	case v.ambiguous:
		return nil
	}
	h := valueHash(b.Kind, b.Value)
	return pipelines.Emit(t, "together", 0, togetherRow{Hi: h.Hi, Lo: h.Lo, OtherHi: b.Hi, OtherLo: b.Lo})
}
