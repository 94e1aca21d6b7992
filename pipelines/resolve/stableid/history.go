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
	ends []End             // in time, Into still empty; of one id only the last counts
}

// End is how an id ended: it was merged away by a run.
type End struct {
	ID   string
	Run  weir.RunID
	Into string // where it leads now
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
		if c := strings.Compare(a.To, b.To); c != 0 {
			return c
		}
		return strings.Compare(a.From, b.From)
	})
	h := &History{next: map[string]string{}}
	for _, r := range rows {
		switch r.Change {
		case "merge", "redirect":
			h.next[r.From] = r.To
			h.ends = append(h.ends, End{ID: r.From, Run: r.RunID})
		case "split": // may have given an id back
			delete(h.next, r.To)
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

// EndedInto lists the ids that were merged away and lead to one of these, in the
// order in which they ended.
func (h *History) EndedInto(ids map[string]bool) []End {
	var out []End
	seen := map[string]bool{}
	for _, e := range slices.Backward(h.ends) {
		if _, gone := h.next[e.ID]; !gone || seen[e.ID] {
			continue // it lives again, or ended again later
		}
		seen[e.ID] = true
		if e.Into, _ = h.Resolve(e.ID); ids[e.Into] {
			out = append(out, e)
		}
	}
	slices.Reverse(out)
	return out
}
