package explain

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Shown is how many of the events behind a condition a verdict names.
const Shown = 20

// Verdict is one condition's outcome for one profile.
type Verdict struct {
	What     string    `json:"what"`            // the condition in plain English
	Value    string    `json:"value,omitempty"` // of an attribute or trait, or the number of events
	Known    bool      `json:"known"`           // whether a leaf has a value
	Holds    bool      `json:"holds"`
	At       string    `json:"at,omitempty"`     // file:line
	Linked   *Linked   `json:"linked,omitempty"` // of a question about people of accounts or accounts of people; of some, Children tell more
	Behind   int       `json:"behind,omitempty"` // how many events the value comes of
	Events   []Row     `json:"events,omitempty"` // the latest Shown of them, the latest last
	Children []Verdict `json:"children,omitempty"`
}

// Row is an event behind a condition.
type Row struct {
	ID   string    `json:"event_id"`
	Name string    `json:"name"`
	At   time.Time `json:"occurred_at"`
}

// Explain evaluates one segment for one profile and its events, in any order.
// The root's first line is the segment itself: its kind of profile, then the
// rule. Errors: weir.NotFound for a segment that is not defined, weir.Invalid
// for one that is broken.
func Explain(d tally.Definitions, segment string, profile *weir.Profile, events []weir.Event, now time.Time) (Verdict, error) {
	return Scored(d, segment, profile, events, nil, now)
}

// Scored is Explain of a profile whose scores, and answers of queries, are given as
// texts by the name of the trait: they don't follow from its events.
func Scored(d tally.Definitions, segment string, profile *weir.Profile, events []weir.Event, scores map[string]string, now time.Time) (Verdict, error) {
	return With(d, segment, &Subject{Profile: *profile, Events: events, Scores: scores}, now)
}

// Subject is a profile with what rules see of it.
type Subject struct {
	Profile weir.Profile
	Events  []weir.Event
	Scores  map[string]string // and answers of queries, as texts by the name of the trait
	// Linked are the profiles that identity.accounts links to it, each once; Counts,
	// where these are not told, how many there are and fit, by slot of tally.Related.
	Linked iter.Seq2[*Subject, error]
	Counts []rule.Linked
}

// With is Explain of a subject.
func With(d tally.Definitions, segment string, who *Subject, now time.Time) (Verdict, error) {
	plan, broken, err := tally.New(d)
	if err != nil {
		return Verdict{}, err
	}
	for _, b := range broken {
		if !b.Trait && b.Name == segment {
			return Verdict{}, b.Errors[0]
		}
	}
	r := plan.Rule(segment)
	if r == nil {
		return Verdict{}, weir.Errorf(weir.NotFound, "there is no segment %q", segment).Then("see weir segment ls")
	}
	x := explainer{now: now, types: trait.Types(d.Traits)}
	if err := x.relate(plan.Related(), who); err != nil {
		return Verdict{}, err
	}
	x.see(plan, who, func(state *tally.State) {
		for slot := range x.linked {
			plan.Relate(state, slot, x.linked[slot])
		}
	})
	return Verdict{
		What: "a profile of kind " + string(r.Of), Value: string(who.Profile.Kind), Known: true,
		Holds: r.Matches(&x.subject), At: r.Root.Condition.At, Children: []Verdict{x.verdict(r.Root)},
	}, nil
}

type explainer struct {
	plan    *tally.Plan
	subject rule.Subject
	events  []timeline.Event // by time
	now     time.Time
	types   map[string]weir.AttributeType // of traits
	linked  []rule.Linked                 // by slot of tally.Related
	some    []examples                    // likewise
}

// see takes in a profile with its events; more adds to its state.
func (x *explainer) see(plan *tally.Plan, who *Subject, more func(*tally.State)) {
	x.plan, x.events = plan, make([]timeline.Event, len(who.Events))
	state := plan.NewState()
	for i := range who.Events {
		x.events[i] = plan.Event(&who.Events[i])
		plan.Add(state, &x.events[i], x.now)
	}
	slices.SortFunc(x.events, func(a, b timeline.Event) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	for name, text := range who.Scores {
		typ := x.types[name]
		if typ == weir.Date { // it is kept as its first moment
			typ = weir.Instant
		}
		plan.Give(state, plan.Given(name), value.Read(text, typ, time.UTC))
	}
	more(state)
	x.subject, _ = plan.Subject(&who.Profile, state, x.now)
}

func (x *explainer) verdict(n *rule.Node) Verdict {
	v := Verdict{What: Say(n.Condition), Holds: n.Holds(&x.subject), At: n.Condition.At, Known: true}
	for _, c := range n.Children {
		v.Children = append(v.Children, x.verdict(c))
	}
	switch n.Form {
	case rule.All, rule.Any, rule.None:
		return v
	case rule.Segment:
		v.Children = []Verdict{x.verdict(n.Target().Root)}
		return v
	case rule.Related:
		x.related(n, &v)
		return v
	case rule.Sequence: // it has no value, but events
	case rule.Attribute:
		v.Known = n.Value(&x.subject).Known()
		v.Value = x.subject.Attributes[n.Condition.Attribute] // as stored: a date stays a date
	default:
		v.Known = n.Value(&x.subject).Known()
		v.Value = n.Value(&x.subject).String()
	}
	for i := range x.events {
		if e := &x.events[i]; x.plan.Behind(n, &x.subject, e, x.now) {
			v.Behind++
			v.Events = append(v.Events, Row{e.ID, e.Name, e.At})
		}
	}
	v.Events = v.Events[max(0, len(v.Events)-Shown):]
	return v
}
