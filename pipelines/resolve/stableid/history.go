package stableid

import (
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
)

// History resolves ids of any age. It is not safe for concurrent use: resolving
// shortens its paths.
type History struct {
	next map[string]string // "" after a retire
}

// NewHistory reads rows of identity.merges, in any order. Of two ends of one id
// the later row counts.
func NewHistory(rows []weir.Merge) *History {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b weir.Merge) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		if c := strings.Compare(string(a.RunID), string(b.RunID)); c != 0 {
			return c
		}
		return strings.Compare(a.To, b.To)
	})
	h := &History{next: map[string]string{}}
	for _, r := range rows {
		switch r.Change {
		case "merge", "redirect":
			h.next[r.From] = r.To
		case "retire":
			h.next[r.From] = ""
		}
	}
	return h
}

// Resolve follows an id to what it is now; false means that it was retired. An
// id of which nothing is written is itself. Rows that lead in a circle (nothing
// here writes such) end as retired, so that nobody is taken for another.
func (h *History) Resolve(id string) (string, bool) {
	at := id
	var path []string
	seen := map[string]bool{}
	for {
		next, gone := h.next[at]
		if !gone {
			break
		}
		if next == "" || seen[at] {
			at = ""
			break
		}
		seen[at] = true
		path = append(path, at)
		at = next
	}
	for _, p := range path {
		h.next[p] = at
	}
	return at, at != ""
}
