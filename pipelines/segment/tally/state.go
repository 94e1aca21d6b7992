package tally

import (
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/journey"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// State is what one profile's events have come to so far.
type State struct {
	counts    []int64
	traits    []trait.State
	measures  []trait.State
	edges     []timeline.EdgeState
	sequences []journey.State
	busiest   []journey.BusiestState
	related   []rule.Linked // nil: nobody is linked
}

// NewState returns the state of no event.
func (p *Plan) NewState() *State {
	return &State{counts: make([]int64, len(p.book.Filters())), traits: make([]trait.State, len(p.traits)),
		measures: make([]trait.State, len(p.book.Measures())), edges: make([]timeline.EdgeState, len(p.book.Edges())),
		sequences: make([]journey.State, len(p.book.Sequences())), busiest: make([]journey.BusiestState, len(p.book.Busiest()))}
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
	if w.more {
		p.addMore(w, s, e, now)
	}
}

// addMore adds to what few plans have.
func (p *Plan) addMore(w *watch, s *State, e *timeline.Event, now time.Time) {
	for _, i := range w.measures {
		p.book.Measures()[i].Add(&s.measures[i], e, now)
	}
	for _, i := range w.edges {
		p.book.Edges()[i].Add(&s.edges[i], e, now)
	}
	for _, i := range w.sequences {
		p.book.Sequences()[i].Add(&s.sequences[i], e, now)
	}
	for _, i := range w.busiest {
		p.book.Busiest()[i].Add(&s.busiest[i], e, now)
	}
}

// Event cuts an event down to what the plan reads.
func (p *Plan) Event(e *weir.Event) timeline.Event { return p.book.Layout().Event(e) }

// Outcome is what one profile comes to.
type Outcome struct {
	Segments []string          // that it belongs to, sorted
	Traits   []weir.TraitValue // sorted by name; an unknown value has none
	Left
}

// Left counts what of a profile did not enter its outcome.
type Left struct {
	Skipped int64 // values that were there, but no numbers
	Mixed   int64 // traits that are unknown because their amounts are of several currencies
	Failed  int64 // expressions that could not be computed
	Forgot  int64 // sequences that look at the latest events only (journey.Most)
}

func (l *Left) of(s *trait.State) {
	l.Skipped += s.Skipped()
	if s.Mixed() {
		l.Mixed++
	}
}

// Outcome evaluates every trait and segment; a nil state is of no event.
func (p *Plan) Outcome(profile *weir.Profile, s *State, now time.Time) Outcome {
	subject, left := p.Subject(profile, s, now)
	out := Outcome{Left: left}
	for _, t := range p.names {
		if row, known := trait.Row(profile.ID, t.name, subject.Traits[t.slot]); known {
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
func (p *Plan) Subject(profile *weir.Profile, s *State, now time.Time) (rule.Subject, Left) {
	if s == nil {
		s = p.empty
	}
	var left Left
	values := make([]value.Value, len(p.names))
	for i := range p.traits {
		if t := &p.traits[i]; t.Of == profile.Kind {
			values[p.slots[i]] = t.Value(&s.traits[i], now)
			left.of(&s.traits[i])
		}
	}
	measures := make([]value.Value, len(s.measures))
	for i := range measures {
		measures[i] = p.book.Measures()[i].Value(&s.measures[i], now)
		left.of(&s.measures[i])
	}
	subject := rule.Subject{ID: profile.ID, Kind: profile.Kind, Attributes: profile.Attributes, Traits: values, Counts: s.counts,
		Measures: measures, Edges: s.edges, Related: s.related, Now: now}
	p.journeys(s, &subject, &left)
	left.Failed = p.derive(&subject)
	return subject, left
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

// Behind says whether what a node of a rule compares comes of the event too.
func (p *Plan) Behind(n *rule.Node, s *rule.Subject, e *timeline.Event, now time.Time) bool {
	if n.Form != rule.Trait {
		return n.Behind(s, e)
	}
	f, of := p.filterOf(n.Condition.Trait)
	return f != nil && of == s.Kind && f.Picks(e, now)
}

// restState is the state, of no event, of what a Cohort keeps by profile.
func (p *Plan) restState() *State {
	return &State{edges: make([]timeline.EdgeState, len(p.book.Edges())), sequences: make([]journey.State, len(p.book.Sequences())),
		busiest: make([]journey.BusiestState, len(p.book.Busiest()))}
}

// restSubject is what rules see of it.
func (p *Plan) restSubject(s *State, now time.Time, left *Left) *rule.Subject {
	out := &rule.Subject{Edges: s.edges, Now: now}
	p.journeys(s, out, left)
	return out
}

// journeys adds what came of sequences and sessions.
func (p *Plan) journeys(s *State, to *rule.Subject, left *Left) {
	for i := range s.sequences {
		to.Sequences = append(to.Sequences, p.book.Sequences()[i].Done(&s.sequences[i]))
		if s.sequences[i].Forgot() {
			left.Forgot++
		}
	}
	for i := range s.busiest {
		to.Busiest = append(to.Busiest, p.book.Busiest()[i].Value(&s.busiest[i]))
	}
}
