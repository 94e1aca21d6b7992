package segment

import (
	"context"
	"strings"
	"time"

	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// gathering sends events to the partitions of their profiles, without making rows of
// them.
type gathering struct {
	*setup
	t       *pipelines.Task
	owners  *owners
	now     int64 // microseconds since 1970
	names   map[string]*named
	kinds   map[string]*kind
	slots   map[string]int
	held    *gathered
	pending pending
	// Where an index is kept: the hashes of identifiers that lead to nobody, and of
	// each event's owner what its profile is called.
	nobody map[int64]bool
	used   func(to owner) error

	later, unread, unowned, unidentified int64
	touched                              uint64 // see owners.touch
}

// named is what is known of an event's name.
type named struct {
	code    uint32
	reading tally.Reading
	keeping tally.Reading
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

// eventColumns are what is read of core.events, and eventLeaves where that lies in files.
var (
	eventColumns = []string{"event_id", "name", "occurred_at", "identifiers", "properties"}
	eventLeaves  = []string{"event_id", "name", "occurred_at", "identifiers.key_value.key", "identifiers.key_value.value.list.element",
		"properties.key_value.key", "properties.key_value.value"}
)

// all reads the task's events; also, which may be nil, takes of them what it reads.
func (g *gathering) all(ctx context.Context, also *gathering) error {
	for group, err := range pipelines.RowGroups(ctx, g.t) {
		if err == nil {
			err = g.group(ctx, group)
		}
		if err == nil && also != nil {
			err = also.group(ctx, group)
		}
		if err != nil {
			return err
		}
	}
	for name, n := range map[string]int64{"events_later": g.later, "events_unread": g.unread, "events_unowned": g.unowned, "events_without_identifier": g.unidentified} {
		if n > 0 {
			g.t.Count(name, n)
		}
	}
	if also != nil {
		if err := also.held.flush(g.t); err != nil {
			return err
		}
		also.held.close()
	}
	err := g.held.flush(g.t)
	g.held.close()
	return err
}

// group takes the events of a row group.
func (g *gathering) group(ctx context.Context, group *pipelines.RowGroup) error {
	leaves, odd, err := group.Leaves(eventLeaves...)
	if err != nil {
		return err
	}
	if !odd {
		return g.leaves(group.Rows, leaves)
	}
	for rec, err := range group.Batches(ctx, eventColumns) {
		if err == nil {
			err = g.batch(rec)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// resolved finds the owners of what is pending, and sends events once they are many.
func (g *gathering) resolved() error {
	if err := g.resolve(); err != nil || g.held.n < heldEvents {
		return err
	}
	return g.held.flush(g.t)
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
