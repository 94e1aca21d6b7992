package trait

import (
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Aggregates lists what a trait may compute.
func Aggregates() []string {
	return []string{"sum", "avg", "min", "max", "count", "distinct", "first", "last"}
}

// Trait is one compiled definition.
type Trait struct {
	Name   string
	Of     weir.Kind
	Filter timeline.Filter
	how    string
	every  bool // count of events: no field is read
	field  timeline.Field
}

// TypeOf returns the type of a trait's values: number, time, or value.Dynamic
// for the first or last value of a property (or name), whose type nothing declares.
func TypeOf(d weir.TraitDef) weir.AttributeType {
	switch d.Aggregate {
	case "sum", "avg", "count", "distinct":
		return weir.Number
	case weir.Score:
		return givenType(d)
	}
	if d.Field == "occurred_at" {
		return weir.Instant
	}
	if d.Aggregate == "min" || d.Aggregate == "max" {
		return weir.Number
	}
	return value.Dynamic
}

// Types returns the types of all traits by name.
func Types(defs []weir.TraitDef) map[string]weir.AttributeType {
	out := make(map[string]weir.AttributeType, len(defs))
	for _, d := range defs {
		out[d.Name] = TypeOf(d)
	}
	return out
}

// Compile compiles a definition; what it reads of events gets slots in l, and loc
// places dates and calendars (the definition's time zone, else the workspace's).
func Compile(d weir.TraitDef, l *timeline.Layout, loc *time.Location) (Trait, error) {
	t := Trait{Name: d.Name, Of: d.Of, how: d.Aggregate}
	if t.Of == "" {
		t.Of = weir.Person
	}
	fail := func(err error) (Trait, error) {
		return t, weir.Errorf(weir.CodeOf(err), "trait %s: %w", d.Name, err)
	}
	if d.Aggregate == weir.Score {
		return compileGiven(t, d)
	}
	if !slices.Contains(Aggregates(), d.Aggregate) {
		return fail(weir.Errorf(weir.Invalid, "there is no aggregate %q", d.Aggregate).Then("use one of " + strings.Join(Aggregates(), ", ")))
	}
	property, isProperty := strings.CutPrefix(d.Field, "properties.")
	switch {
	case isProperty && property != "":
		t.field = l.Property(property)
	case d.Field == "occurred_at" && d.Aggregate != "sum" && d.Aggregate != "avg":
		t.field = timeline.Field{OccurredAt: true}
	case d.Field == "name" && slices.Contains([]string{"count", "distinct", "first", "last"}, d.Aggregate):
		t.field = timeline.Field{Name: true}
	case d.Field == "events" && d.Aggregate == "count":
		t.every = true
	default:
		return fail(weir.Errorf(weir.Invalid, "%s of %q has no meaning", d.Aggregate, d.Field).
			Then("name a property as properties.NAME; occurred_at, name and count: events are the other choices"))
	}
	window, err := timeline.CompileWindow(d.Within, d.Window, loc)
	if err != nil {
		return fail(err)
	}
	if t.Filter, err = timeline.Compile(d.Event, d.Where, window, l, loc); err != nil {
		return fail(err)
	}
	return t, nil
}

// State is a trait's aggregate over the events added so far. The zero State is
// of no event.
type State struct {
	n       int64 // events that gave a value
	skipped int64
	sum     value.Number
	best    value.Value
	at      time.Time // first and last: of the event that gave best
	id      string
	set     map[string]struct{}
}

// Add takes one event into account if the trait's filter picks it.
func (t *Trait) Add(s *State, e *timeline.Event, now time.Time) {
	if t.Filter.Picks(e, now) {
		t.Take(s, e)
	}
}

// Take takes an event into account that the filter picks.
func (t *Trait) Take(s *State, e *timeline.Event) {
	if t.every {
		s.n++
		return
	}
	v := t.field.Of(e)
	if !v.Known() {
		return
	}
	switch t.how {
	case "sum", "avg", "min", "max":
		t.measure(s, v)
		return
	case "distinct":
		if s.set == nil {
			s.set = map[string]struct{}{}
		}
		s.set[v.String()] = struct{}{}
	case "first", "last":
		if s.n == 0 || t.beats(e.At, e.ID, s) {
			s.best, s.at, s.id = v, e.At, e.ID
		}
	}
	s.n++
}

func (t *Trait) measure(s *State, v value.Value) {
	if !t.field.OccurredAt {
		n, ok := value.ParseNumber(v.String())
		if !ok {
			s.skipped++
			return
		}
		v = value.OfNumber(n)
		if t.how == "sum" || t.how == "avg" {
			s.sum = s.sum.Add(n)
		}
	}
	if t.how == "min" || t.how == "max" {
		if s.n == 0 || t.beyond(v, s.best) {
			s.best = v
		}
	}
	s.n++
}

// beyond says whether a is a better minimum or maximum than b.
func (t *Trait) beyond(a, b value.Value) bool {
	c := value.Compare(a, b)
	return t.how == "min" && c < 0 || t.how == "max" && c > 0
}

// beats says whether an event is earlier (later) than the one kept.
func (t *Trait) beats(at time.Time, id string, s *State) bool {
	c := at.Compare(s.at)
	if c == 0 {
		c = strings.Compare(id, s.id)
	}
	return t.how == "first" && c < 0 || t.how == "last" && c > 0
}

// Merge adds the events of another state of the same trait, none in common.
func (t *Trait) Merge(s, other *State) {
	if other.n > 0 && (s.n == 0 || (t.how == "min" || t.how == "max") && t.beyond(other.best, s.best) ||
		(t.how == "first" || t.how == "last") && t.beats(other.at, other.id, s)) {
		s.best, s.at, s.id = other.best, other.at, other.id
	}
	for k := range other.set {
		if s.set == nil {
			s.set = map[string]struct{}{}
		}
		s.set[k] = struct{}{}
	}
	s.sum = s.sum.Add(other.sum)
	s.n += other.n
	s.skipped += other.skipped
}

// Skipped returns how many values were there but no numbers.
func (s *State) Skipped() int64 { return s.skipped }

// Value returns the trait's value.
func (t *Trait) Value(s *State) value.Value {
	switch t.how {
	case "count":
		return value.OfNumber(value.Whole(s.n))
	case "distinct":
		return value.OfNumber(value.Whole(int64(len(s.set))))
	case "sum":
		return stored(s.sum)
	case "avg":
		if s.n == 0 {
			return value.Value{}
		}
		return stored(s.sum.Over(s.n))
	}
	if n, ok := s.best.Number(); ok {
		return stored(n)
	}
	return s.best
}

func stored(n value.Number) value.Value {
	if n, ok := n.Stored(); ok {
		return value.OfNumber(n)
	}
	return value.Value{}
}

// Row returns the row of core.traits; an unknown value has none.
func Row(profile, name string, v value.Value) (weir.TraitValue, bool) {
	row := weir.TraitValue{ProfileID: profile, Trait: name}
	if n, ok := v.Number(); ok {
		row.Number = n.String()
	} else if at, ok := v.Time(); ok {
		row.Time = at.UTC()
	} else {
		row.Text = v.String()
	}
	return row, v.Known()
}
