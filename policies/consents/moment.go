package consents

import (
	"time"

	"github.com/weir-cdp/weir"
)

// moment is an entry's place in time. What is not known is the earliest for
// what widens and the latest for what restricts.
type moment struct {
	occurred, recorded time.Time
}

// latestOfAll is after every moment of a grant.
var latestOfAll = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

func when(e *weir.Consent) moment {
	m := moment{occurred: e.OccurredAt, recorded: e.RecordedAt}
	if e.Action == weir.Granted || e.Action == weir.Unrestricted {
		return m // zero is the earliest
	}
	if m.recorded.IsZero() {
		m.recorded = latestOfAll
	}
	if m.occurred.IsZero() {
		m.occurred = m.recorded // it happened then at the latest
	}
	return m
}

func (m moment) compare(o moment) int {
	if c := m.occurred.Compare(o.occurred); c != 0 {
		return c
	}
	return m.recorded.Compare(o.recorded)
}
