package tally_test

import (
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// sessions gives each event of the window the number or name of its session, ""
// to one that is in none.
func (w world) sessions(c weir.Condition) map[string]string {
	out := map[string]string{}
	all := w.picked("", nil, c.Within, c.Window) // by time
	gap := 30 * time.Minute
	if c.Session != "true" && !strings.HasPrefix(c.Session, "p") {
		gap, _ = time.ParseDuration(c.Session)
	}
	session := ""
	for i, e := range all {
		switch property, is := strings.CutPrefix(c.Session, "properties."); {
		case c.Session == "":
			out[e.ID] = "all"
		case is:
			out[e.ID] = e.Properties[property]
		default:
			if i == 0 || e.OccurredAt.Sub(all[i-1].OccurredAt) > gap {
				session = e.ID
			}
			out[e.ID] = session
		}
	}
	return out
}

// sequenceHolds tries every choice of one event for each step.
func (w world) sequenceHolds(c weir.Condition) bool {
	sessions := w.sessions(c)
	var fits [][]weir.Event
	listed := map[string]bool{}
	for _, step := range c.Sequence.Steps {
		fits = append(fits, w.picked(step.Event, step.Where, c.Within, c.Window))
		listed[step.Event] = true
	}
	var choose func(chosen []weir.Event) bool
	choose = func(chosen []weir.Event) bool {
		k := len(chosen)
		if k == len(fits) {
			return c.Sequence.Span == "" || !chosen[0].OccurredAt.Before(ago(c.Sequence.Span, chosen[k-1].OccurredAt))
		}
		for _, e := range fits[k] {
			if sessions[e.ID] == "" {
				continue
			}
			if k > 0 {
				before := chosen[k-1]
				if !e.OccurredAt.After(before.OccurredAt) || sessions[e.ID] != sessions[before.ID] ||
					c.Sequence.Strict && w.between(before, e, listed, sessions) {
					continue
				}
			}
			if choose(append(chosen[:k:k], e)) {
				return true
			}
		}
		return false
	}
	return choose(nil)
}

// between says whether an event of a listed name and the same session lies
// between two.
func (w world) between(a, b weir.Event, listed map[string]bool, sessions map[string]string) bool {
	for _, e := range w.events {
		if (listed[e.Name] || listed[""]) && sessions[e.ID] == sessions[a.ID] && e.OccurredAt.After(a.OccurredAt) && e.OccurredAt.Before(b.OccurredAt) {
			return true
		}
	}
	return false
}

// inOneSession is the largest number of picked events of one session.
func (w world) inOneSession(c weir.Condition) int64 {
	sessions, counts, most := w.sessions(c), map[string]int64{}, int64(0)
	for _, e := range w.picked(c.Event, c.Where, c.Within, c.Window) {
		if s := sessions[e.ID]; s != "" {
			counts[s]++
			most = max(most, counts[s])
		}
	}
	return most
}
