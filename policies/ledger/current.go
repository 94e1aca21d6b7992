package ledger

import (
	"slices"

	"github.com/weir-cdp/weir"
)

// Current gives the entries that hold: of each statement the last, unless its source
// no longer says it, or its person was forgotten. They are sorted by number. What they
// state, folded (policies/consents), is the same as core.consents folded.
func Current(entries []weir.LedgerEntry) []weir.LedgerEntry {
	last := map[string]weir.LedgerEntry{}
	forgotten := map[string]int64{}
	for _, e := range entries {
		if e.Change == weir.LedgerForgotten {
			forgotten[e.Who] = max(forgotten[e.Who], e.Entry)
		} else if e.Entry > last[e.Statement].Entry {
			last[e.Statement] = e
		}
	}
	var out []weir.LedgerEntry
	for _, e := range last {
		if e.Change != weir.LedgerGone && e.Entry > forgotten[e.Who] {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b weir.LedgerEntry) int { return int(a.Entry - b.Entry) })
	return out
}
