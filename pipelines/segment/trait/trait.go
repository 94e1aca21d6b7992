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
	return []string{"sum", "avg", "min", "max", "count", "distinct", "first", "last", "most_frequent", "list", "since"}
}

// Trait is one compiled definition.
type Trait struct {
	Name   string
	Of     weir.Kind
	Filter timeline.Filter
	how    string
	every  bool // count of events: no field is read
	field  timeline.Field
	since  bool // the days since the moment that it computes
	money  *money
	loc    *time.Location
}

// TypeOf returns the type of a trait's values: number, time, or value.Dynamic
// for the first or last value of a property (or name), whose type nothing declares.
func TypeOf(d weir.TraitDef) weir.AttributeType {
	switch d.Aggregate {
	case "sum", "avg", "count", "distinct", "since":
		return weir.Number
	case weir.Score, weir.Query:
		return givenType(d)
	case "list":
		return value.List
	}
	if d.Field == "occurred_at" {
		return weir.Instant
	}
	if d.Aggregate == "min" || d.Aggregate == "max" {
		return weir.Number
	}
	return value.Dynamic
}

// Types returns the types of all traits by name, but for those that package derive
// computes from others: of them only what their expression gives is known.
func Types(defs []weir.TraitDef) map[string]weir.AttributeType {
	out := make(map[string]weir.AttributeType, len(defs))
	for _, d := range defs {
		out[d.Name] = TypeOf(d)
	}
	return out
}

// Compile compiles a definition; what it reads of events gets slots in l, and loc
// places dates and calendars (the definition's time zone, else the workspace's).
func Compile(d weir.TraitDef, rates *Rates, l *timeline.Layout, loc *time.Location) (Trait, error) {
	t := Trait{Name: d.Name, Of: d.Of, how: d.Aggregate, loc: loc}
	if t.Of == "" {
		t.Of = weir.Person
	}
	fail := func(err error) (Trait, error) { return t, err }
	if isGiven(d) {
		return compileGiven(t, d)
	}
	if !slices.Contains(Aggregates(), d.Aggregate) {
		return fail(weir.Errorf(weir.Invalid, "there is no aggregate %q", d.Aggregate).Then("use one of " + strings.Join(Aggregates(), ", ")))
	}
	property, isProperty := strings.CutPrefix(d.Field, "properties.")
	switch {
	case d.Aggregate == "since" && (d.Field == "first" || d.Field == "last"):
		t.since, t.how, t.field = true, d.Field, timeline.Field{OccurredAt: true}
	case d.Aggregate == "since":
		return fail(weir.Errorf(weir.Invalid, "since %q has no meaning", d.Field).Then("write since: first or since: last"))
	case (d.Aggregate == "most_frequent" || d.Aggregate == "list") && !isProperty && d.Field != "name":
		return fail(weir.Errorf(weir.Invalid, "%s of %q has no meaning", d.Aggregate, d.Field).Then("name a property as properties.NAME, or name"))
	case isProperty && property != "":
		t.field = l.Property(property)
	case d.Field == "occurred_at" && d.Aggregate != "sum" && d.Aggregate != "avg":
		t.field = timeline.Field{OccurredAt: true}
	case d.Field == "name" && slices.Contains([]string{"count", "distinct", "first", "last", "most_frequent", "list"}, d.Aggregate):
		t.field = timeline.Field{Name: true}
	case d.Field == "events" && d.Aggregate == "count":
		t.every = true
	default:
		return fail(weir.Errorf(weir.Invalid, "%s of %q has no meaning", d.Aggregate, d.Field).
			Then("name a property as properties.NAME; occurred_at, name and count: events are the other choices"))
	}
	if err := t.inCurrency(d, rates, l); err != nil {
		return fail(err)
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
	mixed   bool   // amounts that can't be added
	code    string // the currency of all amounts, without rates
	sum     value.Number
	best    value.Value
	at      time.Time // first and last: of the event that gave best
	id      string
	set     map[string]struct{}
	counts  map[string]int64
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
		t.measure(s, e, v)
		return
	case "most_frequent":
		if s.counts == nil {
			s.counts = map[string]int64{}
		}
		s.counts[v.String()]++
	case "list":
		s.enlist(v.String())
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

func (t *Trait) measure(s *State, e *timeline.Event, v value.Value) {
	if !t.field.OccurredAt {
		n, ok := value.ParseNumber(v.String())
		if !ok {
			s.skipped++
			return
		}
		if t.money != nil {
			if n, ok = t.money.of(s, e, n); !ok {
				s.mixed = true
				return
			}
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
	for k, n := range other.counts {
		if s.counts == nil {
			s.counts = map[string]int64{}
		}
		s.counts[k] += n
	}
	if t.how == "list" {
		s.shorten()
	}
	s.mixed = s.mixed || other.mixed || s.code != "" && other.code != "" && s.code != other.code
	if s.code == "" {
		s.code = other.code
	}
	s.sum = s.sum.Add(other.sum)
	s.n += other.n
	s.skipped += other.skipped
}

// Skipped returns how many values were there but no numbers.
func (s *State) Skipped() int64 { return s.skipped }

// Mixed says whether the amounts were of currencies that can't be added.
func (s *State) Mixed() bool { return s.mixed }

// Value returns the trait's value at now.
func (t *Trait) Value(s *State, now time.Time) value.Value {
	if s.mixed {
		return value.Value{}
	}
	switch t.how {
	case "most_frequent":
		return value.OfText(s.mostFrequent())
	case "list":
		return value.OfList(s.items())
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
	if at, ok := s.best.Time(); ok && t.since {
		return value.OfNumber(value.Whole(int64(value.Days(at, now, t.loc))))
	}
	return s.best
}

// Now says whether the value may change with time alone.
func (t *Trait) Now() bool { return t.since || t.Filter.Now() }

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

// Slots returns the slots of the properties that the trait reads of events.
func (t *Trait) Slots() []int {
	out := t.Filter.Slots()
	if slot, is := t.field.Slot(); is && !t.every && !t.Given() {
		out = append(out, slot)
	}
	if t.money != nil {
		if slot, is := t.money.field.Slot(); is {
			out = append(out, slot)
		}
	}
	return out
}
