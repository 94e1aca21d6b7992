package timeline

import (
	"strings"
	"time"
)

// Edge looks at the first or last event of a filter's name, up to now: whether
// that one event fits the filter's window and properties.
type Edge struct {
	Filter Filter
	Last   bool
}

// EdgeState is the edge of the events added so far, in any order; the zero one
// is of no event.
type EdgeState struct {
	Known bool // there is such an event
	Fits  bool // and it fits
	At    time.Time
	ID    string
}

// Add takes an event of the filter's name into account. Of two events of one
// moment the one whose id sorts first is the first, the other the last.
func (g *Edge) Add(s *EdgeState, e *Event, now time.Time) {
	if e.At.After(now) || s.Known && !g.beats(e.At, e.ID, s) {
		return
	}
	*s = EdgeState{Known: true, Fits: g.Filter.Fits(e, now), At: e.At, ID: e.ID}
}

// Merge adds the events of another state of the same edge.
func (g *Edge) Merge(s, other *EdgeState) {
	if other.Known && (!s.Known || g.beats(other.At, other.ID, s)) {
		*s = *other
	}
}

func (g *Edge) beats(at time.Time, id string, s *EdgeState) bool {
	c := at.Compare(s.At)
	if c == 0 {
		c = strings.Compare(id, s.ID)
	}
	if g.Last {
		return c > 0
	}
	return c < 0
}
