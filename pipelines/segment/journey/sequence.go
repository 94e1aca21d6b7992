package journey

import (
	"slices"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// maxSteps is how many steps a sequence has at most.
const maxSteps = 16

// Sequence is a compiled sequence of events.
type Sequence struct {
	Window  timeline.Window
	Session Session
	steps   []timeline.Filter
	listed  map[string]bool // names of strict; "": every name
	strict  bool
	span    value.Span // zero: any
	loc     *time.Location
}

// Compile compiles a sequence; what it reads of events gets slots in l.
func Compile(d *weir.Sequence, w timeline.Window, session string, l *timeline.Layout, loc *time.Location) (Sequence, error) {
	s := Sequence{Window: w, strict: d.Strict, loc: loc}
	if n := len(d.Steps); n < 2 || n > maxSteps {
		return s, weir.Errorf(weir.Invalid, "a sequence has from 2 to %d steps, not %d", maxSteps, n)
	}
	var err error
	if s.Session, err = CompileSession(session, l); err != nil {
		return s, err
	}
	if d.Span != "" {
		if s.span, err = value.ParseSpan(d.Span); err != nil {
			return s, weir.Errorf(weir.Invalid, "span: %w", err)
		}
	}
	if d.Strict {
		s.listed = map[string]bool{}
	}
	for _, step := range d.Steps {
		f, err := timeline.Compile(step.Event, step.Where, w, l, loc)
		if err != nil {
			return s, weir.Errorf(weir.Invalid, "step %q: %w", step.Event, err)
		}
		s.steps = append(s.steps, f)
		if d.Strict {
			s.listed[step.Event] = true
		}
	}
	return s, nil
}

// Names returns the names of the events that the sequence looks at; "" is any.
func (s *Sequence) Names() []string {
	var out []string
	if s.Session.gap > 0 {
		return []string{""}
	}
	for i := range s.steps {
		if name := s.steps[i].Name; !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if slices.Contains(out, "") {
		return []string{""}
	}
	return out
}

// Now says whether the outcome may change with time alone.
func (s *Sequence) Now() bool {
	for i := range s.steps {
		if s.steps[i].Now() {
			return true
		}
	}
	return false
}

// State is a sequence's events so far; the zero State is of no event.
type State struct {
	moments moments
	visits  visits
}

// Add takes an event of any name into account.
func (s *Sequence) Add(state *State, e *timeline.Event, now time.Time) {
	if !s.Window.Holds(e.At, now) {
		return
	}
	m := moment{at: e.At.UnixMicro()}
	if s.Session.gap > 0 {
		state.visits.add(m.at, 0, s.Session.gap)
	}
	if s.Session.byProperty {
		v := s.Session.field.Of(e)
		if !v.Known() {
			return
		}
		m.session = v.String()
	}
	m.steps = s.fits(e, now)
	if m.steps != 0 || s.listed[e.Name] || s.listed[""] {
		state.moments.add(m)
	}
}

// fits returns the steps that an event fits, as bits.
func (s *Sequence) fits(e *timeline.Event, now time.Time) (steps uint32) {
	for i := range s.steps {
		if s.steps[i].Picks(e, now) {
			steps |= 1 << i
		}
	}
	return steps
}

// Merge adds the events of another state of the same sequence.
func (s *Sequence) Merge(state, other *State) {
	state.moments.merge(&other.moments)
	state.visits.list = append(state.visits.list, other.visits.list...)
	state.visits.joined = 0
}

// Forgot says whether moments were forgotten: only the latest Most count.
func (s *State) Forgot() bool { return len(s.moments.sort()) == Most && s.moments.forgotten }

// Outcome is whether a sequence happened: at the moments of its steps.
type Outcome struct {
	Holds bool
	at    [maxSteps]int64
}

// Done evaluates the sequence. Of several, the outcome has the one that ends
// first, and of those the one that starts last.
func (s *Sequence) Done(state *State) Outcome {
	list := state.moments.sort()
	if s.Session.byProperty {
		list = slices.Clone(list)
		slices.SortStableFunc(list, func(a, b moment) int {
			if a.session < b.session {
				return -1
			} else if a.session > b.session {
				return 1
			}
			return 0
		})
	}
	visits := state.visits.join(s.Session.gap)
	var best Outcome
	for from := 0; from < len(list); {
		to := s.sessionEnd(list, from, visits)
		if o := s.run(list[from:to]); o.Holds && (!best.Holds || o.at[len(s.steps)-1] < best.at[len(s.steps)-1]) {
			best = o
		}
		from = to
	}
	return best
}

// sessionEnd returns where the session of list[from] ends; list is by session.
func (s *Sequence) sessionEnd(list []moment, from int, visits []visit) int {
	to := from + 1
	switch {
	case s.Session.byProperty:
		for to < len(list) && list[to].session == list[from].session {
			to++
		}
	case s.Session.gap > 0:
		end := visits[find(visits, list[from].at)].to
		for to < len(list) && list[to].at <= end {
			to++
		}
	default:
		to = len(list)
	}
	return to
}

// run looks for the sequence in the moments of one session, by time. Of each
// number of steps it keeps the way that started last: whatever comes later, no
// other does better.
func (s *Sequence) run(list []moment) Outcome {
	var now, before [maxSteps]Outcome
	last := len(s.steps) - 1
	for _, m := range list {
		if s.strict {
			before, now = now, [maxSteps]Outcome{}
		}
		for k := last; k >= 0; k-- { // from the end, so that one moment makes one step
			if m.steps&(1<<k) == 0 {
				continue
			}
			way := Outcome{Holds: true}
			if k > 0 {
				way = now[k-1]
				if s.strict {
					way = before[k-1]
				}
			}
			if !way.Holds || k > 0 && now[k].Holds && now[k].at[0] >= way.at[0] {
				continue
			}
			way.at[k] = m.at
			if k == last && s.tooLong(way) {
				continue
			}
			now[k] = way
		}
		if now[last].Holds {
			return now[last]
		}
	}
	return Outcome{}
}

func (s *Sequence) tooLong(way Outcome) bool {
	if s.span == (value.Span{}) {
		return false
	}
	first, end := time.UnixMicro(way.at[0]), time.UnixMicro(way.at[len(s.steps)-1])
	return first.Before(s.span.Before(end, s.loc))
}

// Behind says whether an event is one of the outcome's.
func (s *Sequence) Behind(o *Outcome, e *timeline.Event, now time.Time) bool {
	if !o.Holds {
		return false
	}
	steps := s.fits(e, now)
	for k := range s.steps {
		if steps&(1<<k) != 0 && o.at[k] == e.At.UnixMicro() {
			return true
		}
	}
	return false
}
