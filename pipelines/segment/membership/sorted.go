package membership

import (
	"cmp"
	"slices"
	"strings"
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
	Prior   []weir.Membership
	Handed  []weir.Membership
}

// Writer takes what Diff's Output holds, in its order.
type Writer struct {
	Member func(segment string, place int, enteredAt time.Time) error
	Change func(segment, profile, change, cause string) error
}

// held are the prior memberships of one segment.
type held struct {
	at   []time.Time // by place; zero: none
	dead []string    // sorted
	any  bool
}

// Diff tells memberships and changes, segment after segment.
func (in *Sorted) Diff(w Writer) error {
	names := map[string]bool{}
	for name := range in.Segments {
		names[name] = true
	}
	prior, handed := in.bySegment(in.Prior, names), in.bySegment(in.Handed, nil)
	order := make([]string, 0, len(names))
	for name := range names {
		order = append(order, name)
	}
	slices.Sort(order)
	now := held{at: make([]time.Time, len(in.IDs))}
	given := held{at: make([]time.Time, len(in.IDs))}
	current := make([]bool, len(in.IDs))
	for _, name := range order {
		now.fill(in.IDs, prior[name])
		given.fill(in.IDs, handed[name])
		in.current(name, &now, &given, current)
		if err := in.segment(name, &now, &given, current, w); err != nil {
			return err
		}
	}
	return nil
}

// bySegment cuts rows by segment, each part sorted by profile, and notes the names.
func (in *Sorted) bySegment(rows []weir.Membership, names map[string]bool) map[string][]weir.Membership {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b weir.Membership) int {
		return cmp.Or(strings.Compare(a.Segment, b.Segment), strings.Compare(a.ProfileID, b.ProfileID))
	})
	out := map[string][]weir.Membership{}
	for i := 0; i < len(rows); {
		j := i
		for j < len(rows) && rows[j].Segment == rows[i].Segment {
			j++
		}
		out[rows[i].Segment] = rows[i:j]
		if names != nil {
			names[rows[i].Segment] = true
		}
		i = j
	}
	return out
}

// fill places the rows of a segment, which are sorted by profile; of several of one
// profile the earliest counts.
func (h *held) fill(ids []string, rows []weir.Membership) {
	if h.any {
		clear(h.at)
	}
	h.any, h.dead = len(rows) > 0, h.dead[:0]
	place := 0
	for _, m := range rows {
		for place < len(ids) && ids[place] < m.ProfileID {
			place++
		}
		switch {
		case place < len(ids) && ids[place] == m.ProfileID:
			if h.at[place].IsZero() || m.EnteredAt.Before(h.at[place]) {
				h.at[place] = m.EnteredAt
			}
		case len(h.dead) == 0 || h.dead[len(h.dead)-1] != m.ProfileID:
			h.dead = append(h.dead, m.ProfileID)
		}
	}
}

// current finds who belongs to a segment now.
func (in *Sorted) current(name string, now, given *held, current []bool) {
	clear(current)
	status, defined := in.Segments[name]
	switch {
	case status.Broken:
		for i := range current {
			current[i] = !now.at[i].IsZero() || !given.at[i].IsZero()
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
		stayed := !now.at[i].IsZero()
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
		at, inherited := now.at[i], !given.at[i].IsZero()
		if !stayed {
			at = in.Run.Now
			if err := w.Change(name, in.IDs[i], "enter", enterCause(status, inherited)); err != nil {
				return err
			}
		}
		if inherited && given.at[i].Before(at) {
			at = given.at[i]
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
