package journey

import (
	"cmp"
	"slices"
	"strings"
)

// Most is how many moments of a profile a sequence keeps, the latest.
const Most = 10_000

// moment is when something happened that a sequence looks at.
type moment struct {
	at      int64  // microseconds since 1970
	steps   uint32 // bits of the steps that an event of this moment fits
	session string // by property
}

func (m moment) compare(o moment) int {
	if c := cmp.Compare(m.at, o.at); c != 0 {
		return c
	}
	return strings.Compare(m.session, o.session)
}

// moments is a set of the latest moments, in any order until sorted.
type moments struct {
	list      []moment
	sorted    int // so many of list are sorted and without repeats
	forgotten bool
}

func (s *moments) add(m moment) {
	s.list = append(s.list, m)
	if len(s.list) >= 2*Most {
		s.sort()
	}
}

// sort orders the set, joins what happened at one moment, and forgets what is
// older than the latest Most.
func (s *moments) sort() []moment {
	if s.sorted == len(s.list) {
		return s.list
	}
	slices.SortFunc(s.list, moment.compare)
	out := s.list[:1]
	for _, m := range s.list[1:] {
		if last := &out[len(out)-1]; last.compare(m) == 0 {
			last.steps |= m.steps
		} else {
			out = append(out, m)
		}
	}
	if over := len(out) - Most; over > 0 {
		s.forgotten = true
		copy(out, out[over:])
		out = out[:Most]
	}
	s.list, s.sorted = out, len(out)
	return out
}

func (s *moments) merge(o *moments) {
	s.forgotten = s.forgotten || o.forgotten
	for _, m := range o.list {
		s.add(m)
	}
}
