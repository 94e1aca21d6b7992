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
	values, err := gather(ctx, t)
	if err != nil {
		return err
	}
	out := identifierTable{task: t}
	known := out.write
	if values.wait() {
		known = func(row knownRow) error { return pipelines.Emit(t, "identifiers:known", t.Partition(), row) }
	}
	for _, kind := range slices.Sorted(maps.Keys(values.at)) {
		texts, at := make([]string, 0, len(values.at[kind])), make([]int32, 0, len(values.at[kind]))
		for text, i := range values.at[kind] {
			texts, at = append(texts, text), append(at, i)
		}
		for _, i := range sorting.Order(texts) {
			if err := settle(t, r, identifier{kind, texts[i]}, &values.all[at[i]], known); err != nil {
				return err
			}
		}
	}
	return each(pipelines.Stream[besideRow](ctx, t, "beside"), func(b besideRow) error {
		return beside(t, r, b, values.of(identifier{b.Kind, b.Value}))
	})
}

// values are those of one partition, found by kind and text.
type values struct {
	at  map[string]map[string]int32
	all []value
}

// of returns nil where the value is unknown; it holds until the next one is added.
func (vs *values) of(id identifier) *value {
	if i, known := vs.at[id.kind][id.value]; known {
		return &vs.all[i]
	}
	return nil
}

// add returns the value, which is new where it was unknown.
func (vs *values) add(kind, text string) *value {
	of := vs.at[kind]
	if of == nil {
		of = map[string]int32{}
		vs.at[kind] = of
	}
	i, known := of[text]
	if !known {
		i = int32(len(vs.all))
		of[text] = i
		vs.all = append(vs.all, value{})
	}
	return &vs.all[i]
}

// wait says whether there is a value whose profile only place knows.
func (vs *values) wait() bool {
	return slices.ContainsFunc(vs.all, func(v value) bool { return v.settle() })
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

func gather(ctx context.Context, t *pipelines.Task) (*values, error) {
	rows := pipelines.Sent(t, "owned") + pipelines.Sent(t, "seen")
	vs := &values{at: map[string]map[string]int32{}, all: make([]value, 0, rows*3/4)}
	if err := each(pipelines.Stream[ownedRow](ctx, t, "owned"), func(o ownedRow) error {
		vs.add(o.Kind, o.Value).hold(o)
		return nil
	}); err != nil {
		return nil, err
	}
	if err := each(pipelines.Stream[seenRow](ctx, t, "seen"), func(s seenRow) error {
		v := vs.add(s.Kind, s.Value)
		v.seen, v.blocked = true, v.blocked || s.Blocked
		return nil
	}); err != nil {
		return nil, err
	}
	return vs, each(pipelines.Stream[beforeRow](ctx, t, "before"), func(b beforeRow) error {
		vs.add(b.Kind, b.Value).before = b.Profile
		return nil
	})
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
