package segment

import (
	"github.com/weir-cdp/weir/pipelines"
)

// This file takes events from the pages of their columns.

// eventReader reads the leaves of a row group of events.
type eventReader struct {
	*gathering
	id, name, at, kinds, identifiers, keys, values *pipelines.Leaf

	byName coded[*named]
	byKind coded[*kind]
	byKey  coded[int] // the slot; -1: nobody reads it
}

// coded is what is known of the texts of a leaf's dictionary.
type coded[V any] struct {
	leaf       *pipelines.Leaf
	generation int
	known      []bool
	values     []V
	find       func(text string) V
}

// value is that of the leaf's text.
func (c *coded[V]) value() V {
	if c.leaf.Code < 0 {
		return c.find(c.leaf.Text)
	}
	if texts, generation := c.leaf.Dictionary(); generation != c.generation {
		c.known, c.values, c.generation = make([]bool, len(texts)), make([]V, len(texts)), generation
	}
	if !c.known[c.leaf.Code] {
		c.known[c.leaf.Code], c.values[c.leaf.Code] = true, c.find(c.leaf.Text)
	}
	return c.values[c.leaf.Code]
}

// leaves takes the events of a row group from its eventLeaves.
func (g *gathering) leaves(rows int, l []*pipelines.Leaf) error {
	r := &eventReader{gathering: g, id: l[0], name: l[1], at: l[2], kinds: l[3], identifiers: l[4], keys: l[5], values: l[6]}
	r.byName = coded[*named]{leaf: r.name, find: g.named}
	r.byKind = coded[*kind]{leaf: r.kinds, find: g.kind}
	r.byKey = coded[int]{leaf: r.keys, find: func(key string) int {
		if slot, read := g.slots[key]; read {
			return slot
		}
		return -1
	}}
	for range rows {
		if bad := r.event(); bad != nil {
			return bad.Err()
		}
		if len(g.pending.ends) == pendingEvents {
			if err := g.resolved(); err != nil {
				return err
			}
		}
	}
	return g.resolved()
}

// event takes the next event; it returns the leaf that ended too early, if one did.
func (r *eventReader) event() (bad *pipelines.Leaf) {
	for _, l := range [...]*pipelines.Leaf{r.id, r.name, r.at} {
		if !l.Next() {
			return l
		}
	}
	at := nobody
	if !r.at.Null() {
		at = r.at.Int
	}
	n := r.byName.value()
	slots, counts := r.wanted(n, at)
	if bad := r.identify(slots != nil); bad != nil {
		return bad
	}
	if slots == nil {
		return r.properties(-1, nil)
	}
	r.pending.end(counts)
	return r.properties(r.held.row(at, n.code, r.id.Text), slots)
}

// identify notes the event's identifiers, or steps over them.
func (r *eventReader) identify(wanted bool) (bad *pipelines.Leaf) {
	for more := true; more; more = r.kinds.More(1) {
		if !r.kinds.Next() {
			return r.kinds
		}
		var k *kind
		if wanted && r.kinds.Has(1) {
			k = r.byKind.value()
		}
		for more := true; more; more = r.identifiers.More(2) {
			if !r.identifiers.Next() {
				return r.identifiers
			}
			if k != nil && !r.identifiers.Null() {
				r.pending.candidate(k, r.identifiers.Text)
			}
		}
	}
	return nil
}

// properties keeps the event's properties that are wanted; without a row, none.
func (r *eventReader) properties(row int, slots []bool) (bad *pipelines.Leaf) {
	h := r.held
	for more := true; more; more = r.keys.More(1) {
		if !r.keys.Next() {
			return r.keys
		}
		if !r.values.Next() {
			return r.values
		}
		if row < 0 || !r.keys.Has(1) {
			continue
		}
		if slot := r.byKey.value(); slot >= 0 && slots[slot] {
			h.rows.Properties[slot][row] = h.texts.Properties[slot].Code(r.values.Text)
		}
	}
	return nil
}
