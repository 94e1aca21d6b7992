package tally

import (
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// State is what one profile's events have come to so far.
type State struct {
	counts []int64
	traits []trait.State
}

// NewState returns the state of no event.
func (p *Plan) NewState() *State {
	return &State{counts: make([]int64, len(p.book.Filters())), traits: make([]trait.State, len(p.traits))}
}

// Add takes an event into account; each event must be added once.
func (p *Plan) Add(s *State, e *timeline.Event, now time.Time) {
	p.add(p.always, s, e, now)
	if w := p.byName[e.Name]; w != nil {
		p.add(w, s, e, now)
	}
}

func (p *Plan) add(w *watch, s *State, e *timeline.Event, now time.Time) {
	filters := p.book.Filters()
	for _, i := range w.filters {
		if filters[i].Picks(e, now) {
			s.counts[i]++
		}
	}
	for _, i := range w.traits {
		p.traits[i].Add(&s.traits[i], e, now)
	}
}

// Event cuts an event down to what the plan reads.
func (p *Plan) Event(e *weir.Event) timeline.Event { return p.book.Layout().Event(e) }

// Outcome is what one profile comes to.
type Outcome struct {
	Segments []string          // that it belongs to, sorted
	Traits   []weir.TraitValue // sorted by name; an unknown value has none
	Skipped  int64             // values that were there, but no numbers
}

// Outcome evaluates every trait and segment; a nil state is of no event.
func (p *Plan) Outcome(profile *weir.Profile, s *State, now time.Time) Outcome {
	subject, skipped := p.Subject(profile, s, now)
	out := Outcome{Skipped: skipped}
	for i := range p.traits {
		if row, known := trait.Row(profile.ID, p.traits[i].Name, subject.Traits[p.slots[i]]); known {
			out.Traits = append(out.Traits, row)
		}
	}
	for _, r := range p.rules {
		if r.Matches(&subject) {
			out.Segments = append(out.Segments, r.Name)
		}
	}
	return out
}

// Subject returns what rules see of the profile. A trait `of: person` is
// unknown of an account, and the other way round.
func (p *Plan) Subject(profile *weir.Profile, s *State, now time.Time) (_ rule.Subject, skipped int64) {
	if s == nil {
		s = p.empty
	}
	values := make([]value.Value, len(p.traits))
	for i := range p.traits {
		if t := &p.traits[i]; t.Of == profile.Kind {
			values[p.slots[i]] = t.Value(&s.traits[i])
			skipped += s.traits[i].Skipped()
		}
	}
	return rule.Subject{Kind: profile.Kind, Attributes: profile.Attributes, Traits: values, Counts: s.counts, Now: now}, skipped
}

// Rule returns a segment's compiled rule, nil if there is none.
func (p *Plan) Rule(segment string) *rule.Rule {
	for _, r := range p.rules {
		if r.Name == segment {
			return r
		}
	}
	return nil
}
