package segment

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// gathering sends events to the partitions of their profiles, without making rows of
// them.
type gathering struct {
	*setup
	t      *pipelines.Task
	owners *owners
	now    int64 // microseconds since 1970
	names  map[string]*named
	kinds  map[string]*kind
	slots  map[string]int
	held   *gathered
	// Where an index is kept: the hashes of identifiers that lead to nobody, and of
	// each event's owner what its profile is called.
	nobody map[int64]bool
	used   func(to owner) error

	later, unread, unowned, unidentified int64
}

// named is what is known of an event's name.
type named struct {
	code    uint32
	reading tally.Reading
	keeping tally.Reading
}

// kind is what is known of a kind of identifiers.
type kind struct {
	name string
	rank int
	hash [2]uint64
}

func (s *setup) scatterBlocks(ctx context.Context, t *pipelines.Task, o *owners) error {
	g, also := s.gathering(t, o), s.relatedGathering(t, o)
	if s.keeps(t) {
		g.nobody = map[int64]bool{}
	}
	if err := g.all(ctx, also); err != nil {
		return err
	}
	return g.tellUnowned()
}

// all reads the task's events; also, which may be nil, takes of them what it reads.
func (g *gathering) all(ctx context.Context, also *gathering) error {
	t := g.t
	for b, err := range pipelines.Batches(ctx, t, []string{"event_id", "name", "occurred_at", "identifiers", "properties"}) {
		if err == nil {
			err = g.batch(b.Rows)
		}
		if err == nil && also != nil {
			err = also.batch(b.Rows)
		}
		if err != nil {
			return err
		}
		if also != nil && len(also.held.owners) >= heldEvents {
			if err := also.held.flush(t); err != nil {
				return err
			}
		}
		if len(g.held.owners) >= heldEvents {
			if err := g.held.flush(t); err != nil {
				return err
			}
		}
	}
	for name, n := range map[string]int64{"events_later": g.later, "events_unread": g.unread, "events_unowned": g.unowned, "events_without_identifier": g.unidentified} {
		if n > 0 {
			t.Count(name, n)
		}
	}
	if also != nil {
		if err := also.held.flush(t); err != nil {
			return err
		}
	}
	return g.held.flush(t)
}

// gathering begins to gather what the setup's plan reads.
func (s *setup) gathering(t *pipelines.Task, o *owners) *gathering {
	names := s.plan.Properties()
	g := &gathering{setup: s, t: t, owners: o, now: t.Spec().Run.Now.UnixMicro(), names: map[string]*named{}, kinds: map[string]*kind{},
		slots: map[string]int{}, held: newGathered(len(names))}
	for i, name := range names {
		g.slots[name] = i
	}
	return g
}

// columns of a batch of events.
type eventColumns struct {
	ids, names              array.StringLike
	at                      *array.Timestamp
	identifiers, properties textMap
}

func eventColumnsOf(rec arrow.RecordBatch) (c eventColumns, err error) {
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
	c, err := eventColumnsOf(rec)
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
		name := ""
		if c.names.IsValid(i) {
			name = c.names.Value(i)
		}
		n := g.named(name)
		slots, counts := g.wanted(n, at)
		if slots == nil {
			continue
		}
		to, identified := g.ownerOf(&c.identifiers, i)
		if to.place == 0 {
			if identified && counts {
				g.unowned++
			} else if counts {
				g.unidentified++
			}
			continue
		}
		if g.used != nil {
			if err := g.used(to); err != nil {
				return err
			}
		}
		g.hold(&c, i, to, n.code, at, slots)
	}
	return nil
}

// wanted returns the properties that are wanted of an event, nil: it is not; and
// whether it counts now, or is for the index alone. The index gets all that is wanted
// at any later moment: what counts now may come into a window that reads more of it.
func (g *gathering) wanted(n *named, at int64) (slots []bool, counts bool) {
	if at > g.now {
		g.later++
	} else if slots = n.reading.Slots(at); slots == nil {
		g.unread++
	}
	counts = slots != nil
	if g.nobody != nil {
		slots = n.keeping.Slots(at)
	}
	return slots, counts
}

// nobody is the moment of an event that does not say when it was: the first of all.
var nobody = time.Time{}.UnixMicro()

func (g *gathering) named(name string) *named {
	n := g.names[name]
	if n == nil {
		name = strings.Clone(name)
		n = &named{code: g.held.texts.Names.Code(name), reading: g.plan.Reading(name, g.t.Spec().Run.Now), keeping: g.plan.Keeping(name, g.t.Spec().Run.Now)}
		g.names[name] = n
	}
	return n
}

func (g *gathering) kind(name string) *kind {
	k := g.kinds[name]
	if k == nil {
		k = &kind{name: strings.Clone(name), rank: len(g.rank)}
		if r, ok := g.rank[name]; ok {
			k.rank = r
		}
		k.hash = g.owners.kindHash(name)
		g.kinds[k.name] = k
	}
	return k
}

// ownerOf returns the owner of the strongest identifier of a row that has one, and
// whether it has an identifier at all. Of equally strong ones it is the first by the
// kind's and the value's bytes.
func (g *gathering) ownerOf(m *textMap, row int) (best owner, identified bool) {
	var bestKind *kind
	var bestValue string
	from, to := m.entries(row)
	for e := from; e < to; e++ {
		k := g.kind(m.keys.Value(e))
		start, end := m.span(e)
		for v := start; v < end; v++ {
			value := m.item(v)
			if value == "" {
				continue
			}
			identified = true
			if bestKind != nil && !k.stronger(value, bestKind, bestValue) {
				continue
			}
			if o := g.owners.of(k.hash, value); o.place != 0 {
				best, bestKind, bestValue = o, k, value
			} else if g.nobody != nil {
				g.nobody[identifierHash(k.name, value)] = true
			}
		}
	}
	return best, identified
}

// tellUnowned sends what led to nobody to the index.
func (g *gathering) tellUnowned() error {
	for _, h := range slices.Sorted(maps.Keys(g.nobody)) {
		to := int(uint64(h) % uint64(max(1, g.t.Spec().Partitions)))
		if err := pipelines.Emit(g.t, "compute:unowned", to, unownedRow{h}); err != nil {
			return err
		}
	}
	return nil
}

func (k *kind) stronger(value string, than *kind, its string) bool {
	if k.rank != than.rank {
		return k.rank < than.rank
	}
	if c := strings.Compare(k.name, than.name); c != 0 {
		return c < 0
	}
	return value < its
}

// hold keeps an event with the properties that are wanted of it.
func (g *gathering) hold(c *eventColumns, row int, to owner, name uint32, at int64, slots []bool) {
	h := g.held
	h.owners = append(h.owners, to)
	h.rows.At = append(h.rows.At, at)
	h.rows.Names = append(h.rows.Names, name)
	if c.ids.IsValid(row) {
		h.ids = append(h.ids, c.ids.Value(row)...)
	}
	h.rows.IDEnds = append(h.rows.IDEnds, uint32(len(h.ids)))
	for i := range h.rows.Properties {
		h.rows.Properties[i] = append(h.rows.Properties[i], 0)
	}
	if !slices.Contains(slots, true) {
		return
	}
	last := len(h.owners) - 1
	from, end := c.properties.entries(row)
	for e := from; e < end; e++ {
		if slot, read := g.slots[c.properties.keys.Value(e)]; read && slots[slot] {
			h.rows.Properties[slot][last] = h.texts.Properties[slot].Code(c.properties.item(e))
		}
	}
}
