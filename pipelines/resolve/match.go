package resolve

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/sorting"
)

// match brings together the records of each key. Keys of one anchor come
// together: a rule's keys under the identifier value that they are made of.
func match(ctx context.Context, t *pipelines.Task) error {
	r, err := rules(t)
	if err != nil {
		return err
	}
	keys, err := pipelines.Read[keyRow](ctx, t, "key")
	if err != nil {
		return err
	}
	order := make([]*keyRow, len(keys)) // rows are wide: move pointers
	for i := range keys {
		order[i] = &keys[i]
	}
	m := matcher{rules: r, next: int64(t.Partition())<<32 + 1,
		toGroup:   func(row groupRow) error { return pipelines.Emit(t, "partition:group", 0, row) },
		toSuspect: func(row suspectRow) error { return pipelines.Emit(t, "partition:suspect", 0, row) }}
	return m.all(order)
}

// all matches keys in any order; those of an anchor must all be there.
func (m *matcher) all(order []*keyRow) error {
	order = sorting.Hashed(order, func(k **keyRow) uint64 { return (*k).AnchorHi }, compareKeys)
	for len(order) > 0 {
		n := 1
		for n < len(order) && order[n].anchor() == order[0].anchor() && order[n].Of == order[0].Of {
			n++
		}
		if err := m.anchor(order[:n]); err != nil {
			return err
		}
		order = order[n:]
	}
	return nil
}

// compareKeys puts an anchor's own key before the rules' keys made of it.
func compareKeys(a, b *keyRow) int {
	if c := compareHashes(a.anchor(), b.anchor()); c != 0 {
		return c
	}
	if c := strings.Compare(a.Of, b.Of); c != 0 {
		return c
	}
	if aOwn, bOwn := a.hash() == a.anchor(), b.hash() == b.anchor(); aOwn != bOwn {
		if aOwn {
			return -1
		}
		return 1
	}
	if c := strings.Compare(a.Rule, b.Rule); c != 0 {
		return c
	}
	if c := compareHashes(a.hash(), b.hash()); c != 0 {
		return c
	}
	return strings.Compare(a.Record, b.Record)
}

func compareHashes(a, b evidence.Hash) int {
	if a.Hi != b.Hi {
		return cmp.Compare(a.Hi, b.Hi)
	}
	return cmp.Compare(a.Lo, b.Lo)
}

// matcher numbers groups and suspects apart from those of other tasks.
type matcher struct {
	rules     *evidence.Rules
	next      int64
	toGroup   func(groupRow) error
	toSuspect func(suspectRow) error
}

func (m *matcher) number() int64 {
	m.next++
	return m.next - 1
}

func (m *matcher) anchor(keys []*keyRow) error {
	parent := int64(0)
	for len(keys) > 0 {
		n := 1
		for n < len(keys) && keys[n].hash() == keys[0].hash() && keys[n].Rule == keys[0].Rule {
			n++
		}
		block := slices.CompactFunc(keys[:n:n], func(a, b *keyRow) bool { return a.Record == b.Record })
		suspect, err := m.block(block, parent)
		if err != nil {
			return err
		}
		if keys[0].hash() == keys[0].anchor() {
			parent = suspect
		}
		keys = keys[n:]
	}
	return nil
}

// block sends the records of one key to partition, and returns the suspect that
// holds them back, 0 where nothing does.
func (m *matcher) block(block []*keyRow, parent int64) (int64, error) {
	if len(block) < 2 {
		return parent, nil
	}
	rule, err := m.rules.Rule(weir.Kind(block[0].Of), block[0].Rule)
	if err != nil {
		return 0, err
	}
	suspect, err := m.suspect(block, rule, parent)
	if err != nil || !rule.Links {
		return suspect, err
	}
	group := m.number()
	for _, k := range block {
		row := groupRow{Group: group, Rule: rule.Name, Weight: rule.Strength, Suspect: suspect, Record: k.Record, Anchor: k.AnchorHi}
		if err := m.toGroup(row); err != nil {
			return 0, err
		}
	}
	return suspect, nil
}

// suspect sends a value that too many people seem to hold to partition, which
// knows what other evidence joins.
func (m *matcher) suspect(block []*keyRow, rule evidence.Rule, parent int64) (int64, error) {
	if len(block) <= rule.SharedBy {
		return parent, nil
	}
	members := make([][]evidence.Tell, len(block))
	for i, k := range block {
		members[i] = evidence.Unpack(k.Tells)
	}
	v := evidence.Weigh(members)
	if v.Profiles <= rule.SharedBy {
		return parent, nil
	}
	id := m.number()
	for _, part := range v.Parts {
		row := suspectRow{Suspect: id, Parent: parent, Identifier: strings.TrimPrefix(rule.Name, evidence.SamePrefix),
			Extra: int64(v.Extra), Allowed: int64(rule.SharedBy), Record: block[part].Record, Anchor: block[0].AnchorHi}
		if err := m.toSuspect(row); err != nil {
			return 0, err
		}
	}
	return id, nil
}
