package journey

import (
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// DefaultGap is the gap of `session: true`: half an hour, as web analytics has it.
const DefaultGap = 30 * time.Minute

// minGap and maxGap bound how many sessions there can be, and how long they are.
const (
	minGap = time.Minute
	maxGap = 30 * 24 * time.Hour
)

// Session says what belongs together. The zero Session is no session.
type Session struct {
	gap        time.Duration
	byProperty bool
	field      timeline.Field
}

// CompileSession compiles "true", a gap such as "45m", or "properties.NAME"; ""
// is no session.
func CompileSession(s string, l *timeline.Layout) (Session, error) {
	switch property, is := strings.CutPrefix(s, "properties."); {
	case s == "":
		return Session{}, nil
	case s == "true":
		return Session{gap: DefaultGap}, nil
	case is && property != "":
		return Session{byProperty: true, field: l.Property(property)}, nil
	}
	span, err := value.ParseSpan(s)
	if err != nil {
		return Session{}, weir.Errorf(weir.Invalid, "session: %w", err).Then("write true, a gap such as 45m, or properties.NAME")
	}
	if span.Months > 0 || span.Fixed < minGap || span.Fixed > maxGap {
		return Session{}, weir.Errorf(weir.Invalid, "the gap between sessions is from 1m to 30d, not %s", s)
	}
	return Session{gap: span.Fixed}, nil
}

// Busiest counts the events that a filter picks in each session; its value is the
// largest count.
type Busiest struct {
	Filter  timeline.Filter
	Session Session
}

// BusiestState is the counts so far; the zero one is of no event.
type BusiestState struct {
	visits visits
	counts map[string]int64 // by property
}

// Name returns the name of the events that it looks at, "" for any.
func (b *Busiest) Name() string {
	if b.Session.byProperty {
		return b.Filter.Name
	}
	return ""
}

// Add takes an event of any name into account.
func (b *Busiest) Add(s *BusiestState, e *timeline.Event, now time.Time) {
	if b.Session.byProperty {
		if v := b.Session.field.Of(e); v.Known() && b.Filter.Picks(e, now) {
			if s.counts == nil {
				s.counts = map[string]int64{}
			}
			s.counts[v.String()]++
		}
		return
	}
	if !b.Filter.Window.Holds(e.At, now) {
		return
	}
	picked := int64(0)
	if b.Filter.Picks(e, now) {
		picked = 1
	}
	s.visits.add(e.At.UnixMicro(), picked, b.Session.gap)
}

// Merge adds the events of another state of the same count.
func (b *Busiest) Merge(s, other *BusiestState) {
	for session, n := range other.counts {
		if s.counts == nil {
			s.counts = map[string]int64{}
		}
		s.counts[session] += n
	}
	s.visits.list = append(s.visits.list, other.visits.list...)
	s.visits.joined = 0
}

// Value returns the largest count of one session.
func (b *Busiest) Value(s *BusiestState) int64 {
	most := int64(0)
	for _, n := range s.counts {
		most = max(most, n)
	}
	for _, v := range s.visits.join(b.Session.gap) {
		most = max(most, v.picked)
	}
	return most
}
