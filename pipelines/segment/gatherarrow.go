package segment

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// This file takes events from Arrow, which reads what files of other writers hold.

// eventArrays are the columns of a batch of events.
type eventArrays struct {
	ids, names              array.StringLike
	at                      *array.Timestamp
	identifiers, properties textMap
}

func eventArraysOf(rec arrow.RecordBatch) (c eventArrays, err error) {
	if c.ids, err = textColumn(rec, "event_id"); err != nil {
		return c, err
	}
	if c.names, err = textColumn(rec, "name"); err != nil {
		return c, err
	}
	if c.at, err = columnOf[*array.Timestamp](rec, "occurred_at"); err != nil {
		return c, err
	}
	if c.identifiers, err = mapColumn(rec, "identifiers"); err != nil {
		return c, err
	}
	c.properties, err = mapColumn(rec, "properties")
	return c, err
}

func (g *gathering) batch(rec arrow.RecordBatch) error {
	c, err := eventArraysOf(rec)
	if err != nil {
		return err
	}
	unit := c.at.DataType().(*arrow.TimestampType).Unit
	for i := range int(rec.NumRows()) {
		at := nobody
		if c.at.IsValid(i) {
			at = int64(c.at.Value(i))
			if unit != arrow.Microsecond {
				at = c.at.Value(i).ToTime(unit).UnixMicro()
			}
		}
		n := g.named(valueOf(c.names, i))
		slots, counts := g.wanted(n, at)
		if slots == nil {
			continue
		}
		g.candidates(&c.identifiers, i)
		g.pending.end(counts)
		g.properties(&c.properties, i, g.held.row(at, n.code, valueOf(c.ids, i)), slots)
		if len(g.pending.ends) == pendingEvents {
			if err := g.resolved(); err != nil {
				return err
			}
		}
	}
	return g.resolved() // the batch goes
}

func valueOf(a array.StringLike, i int) string {
	if a.IsNull(i) {
		return ""
	}
	return a.Value(i)
}

// candidates notes the identifiers of an event.
func (g *gathering) candidates(m *textMap, row int) {
	from, to := m.entries(row)
	for e := from; e < to; e++ {
		k := g.kind(m.keys.Value(e))
		start, end := m.span(e)
		for v := start; v < end; v++ {
			g.pending.candidate(k, m.item(v))
		}
	}
}

// properties keeps those that are wanted.
func (g *gathering) properties(m *textMap, row, held int, slots []bool) {
	h := g.held
	from, end := m.entries(row)
	for e := from; e < end; e++ {
		if slot, read := g.slots[m.keys.Value(e)]; read && slots[slot] {
			h.rows.Properties[slot][held] = h.texts.Properties[slot].Code(m.item(e))
		}
	}
}
