package membership

import (
	"slices"
	"time"

	"github.com/weir-cdp/weir"
)

// Sorted is Input with the living profiles by place: what Diff computes, without a
// look-up for each member.
type Sorted struct {
	Run      weir.Run
	Segments map[string]Status
	IDs      []string // of the profiles that live, sorted; no id twice
	// Matches yields, in order, the places of those that a segment's rule holds for; nil:
	// it was not evaluated, or holds for nobody.
	Matches func(segment string) func(yield func(place int) bool)
	Prior   []Column
	Handed  []Column
}

// Column is memberships of one segment, in any order.
type Column struct {
	Segment   string
	Profiles  []string
	EnteredAt []int64 // microseconds since 1970, for each profile
}

// Columns makes a column of each row.
func Columns(rows []weir.Membership) (out []Column) {
	for _, m := range rows {
		out = append(out, Column{m.Segment, []string{m.ProfileID}, []int64{m.EnteredAt.UnixMicro()}})
	}
	return out
}

// none is the moment of who is no member: that of a row without one.
var none = time.Time{}.UnixMicro()

// Writer takes what Diff's Output holds, in its order.
type Writer struct {
	Member func(segment string, place int, enteredAt time.Time) error
	Change func(segment, profile, change, cause string) error
}

// held are the prior memberships of one segment.
type held struct {
	at   []int64  // by place, microseconds since 1970, or none
	dead []string // sorted
	any  bool
}

func newHeld(profiles int) *held {
	h := &held{at: make([]int64, profiles), any: true}
	h.fill(&places{}, nil)
	return h
}

// Diff tells memberships and changes, segment after segment.
func (in *Sorted) Diff(w Writer) error {
	names := map[string]bool{}
	for name := range in.Segments {
		names[name] = true
	}
	prior, handed := bySegment(in.Prior), bySegment(in.Handed)
	for name := range prior {
		names[name] = true
	}
	order := make([]string, 0, len(names))
	for name := range names {
		order = append(order, name)
	}
	slices.Sort(order)
	now, given, all := newHeld(len(in.IDs)), newHeld(len(in.IDs)), newPlaces(in.IDs)
	current := make([]bool, len(in.IDs))
	for _, name := range order {
		now.fill(all, prior[name])
		given.fill(all, handed[name])
		in.current(name, now, given, current)
		if err := in.segment(name, now, given, current, w); err != nil {
			return err
		}
	}
	return nil
}

func bySegment(columns []Column) map[string][]Column {
	out := map[string][]Column{}
	for _, c := range columns {
		out[c.Segment] = append(out[c.Segment], c)
	}
	return out
}

// fill places the rows of a segment; of several of one profile the earliest counts.
// Where they are sorted by profile, as the table is, it is one pass over both.
func (h *held) fill(all *places, columns []Column) {
	if h.any {
		for i := range h.at {
			h.at[i] = none
		}
	}
	h.any, h.dead = len(columns) > 0, h.dead[:0]
	place := 0
	for _, c := range columns {
		for i, id := range c.Profiles {
			place = all.find(place, id)
			switch at := c.EnteredAt[i]; {
			case place == len(all.ids) || all.ids[place] != id:
				h.dead = append(h.dead, id)
			case h.at[place] == none || at < h.at[place]:
				h.at[place] = at
			}
		}
	}
	if !slices.IsSorted(h.dead) {
		slices.Sort(h.dead)
	}
	h.dead = slices.Compact(h.dead)
}

// current finds who belongs to a segment now.
func (in *Sorted) current(name string, now, given *held, current []bool) {
	clear(current)
	status, defined := in.Segments[name]
	switch {
	case status.Broken:
		for i := range current {
			current[i] = now.at[i] != none || given.at[i] != none
		}
	case defined:
		if matches := in.Matches(name); matches != nil {
			for place := range matches {
				current[place] = true
			}
		}
	}
}

// segment tells one segment's memberships and changes.
func (in *Sorted) segment(name string, now, given *held, current []bool, w Writer) error {
	status, defined := in.Segments[name]
	left := "data"
	if !defined || status.Changed {
		left = "definition"
	}
	dead := now.dead
	for i, is := range current {
		stayed := now.at[i] != none
		if !is && !stayed {
			continue
		}
		for len(dead) > 0 && dead[0] < in.IDs[i] {
			if err := w.Change(name, dead[0], "exit", "profile"); err != nil {
				return err
			}
			dead = dead[1:]
		}
		if !is {
			if err := w.Change(name, in.IDs[i], "exit", left); err != nil {
				return err
			}
			continue
		}
		at, inherited := in.Run.Now, given.at[i] != none
		if stayed {
			at = time.UnixMicro(now.at[i]).UTC()
		} else {
			if err := w.Change(name, in.IDs[i], "enter", enterCause(status, inherited)); err != nil {
				return err
			}
		}
		if inherited {
			if before := time.UnixMicro(given.at[i]).UTC(); before.Before(at) {
				at = before
			}
		}
		if err := w.Member(name, i, at); err != nil {
			return err
		}
	}
	for _, id := range dead {
		if err := w.Change(name, id, "exit", "profile"); err != nil {
			return err
		}
	}
	return nil
}
