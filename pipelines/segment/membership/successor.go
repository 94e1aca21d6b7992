package membership

import (
	"cmp"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
)

// Successors says which profile took over from which.
type Successors struct{ to map[string]string }

// NewSuccessors reads rows of identity.merges, in any order; those before since
// are settled already and are left out. Merges and redirects hand over; a split
// that gives an id back its life ends an earlier hand-over, and so does retire.
func NewSuccessors(rows []weir.Merge, since time.Time) Successors {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b weir.Merge) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.RunID, b.RunID),
			cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Change, b.Change))
	})
	s := Successors{to: map[string]string{}}
	for _, m := range rows {
		switch {
		case m.At.Before(since):
		case m.Change == "merge" || m.Change == "redirect":
			if m.From != m.To && m.To != "" {
				s.to[m.From] = m.To
			}
		case m.Change == "split":
			delete(s.to, m.To)
		case m.Change == "retire":
			delete(s.to, m.From)
		}
	}
	return s
}

// Of follows the hand-overs from an id to their end; "" if there is none (or
// they go in a circle).
func (s Successors) Of(profile string) string {
	at, ok := s.to[profile]
	if !ok {
		return ""
	}
	for range len(s.to) {
		next, more := s.to[at]
		if !more {
			return at
		}
		at = next
	}
	return ""
}

// None says that nobody handed over.
func (s Successors) None() bool { return len(s.to) == 0 }
