package explain

import (
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// Verdict is one condition's outcome for one profile.
type Verdict struct {
	What     string    `json:"what"`            // the condition in plain English
	Value    string    `json:"value,omitempty"` // of an attribute or trait, or the number of events
	Known    bool      `json:"known"`           // whether a leaf has a value
	Holds    bool      `json:"holds"`
	At       string    `json:"at,omitempty"` // file:line
	Children []Verdict `json:"children,omitempty"`
}

// Explain evaluates one segment for one profile and its events, in any order.
// The root's first line is the segment itself: its kind of profile, then the
// rule. Errors: weir.NotFound for a segment that is not defined, weir.Invalid
// for one that is broken.
func Explain(d tally.Definitions, segment string, profile *weir.Profile, events []weir.Event, now time.Time) (Verdict, error) {
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
	state := plan.NewState()
	for i := range events {
		e := plan.Event(&events[i])
		plan.Add(state, &e, now)
	}
	subject, _ := plan.Subject(profile, state, now)
	return Verdict{
		What: "a profile of kind " + string(r.Of), Value: string(profile.Kind), Known: true,
		Holds: r.Matches(&subject), At: r.Root.Condition.At, Children: []Verdict{verdict(r.Root, &subject)},
	}, nil
}

func verdict(n *rule.Node, s *rule.Subject) Verdict {
	v := Verdict{What: Say(n.Condition), Holds: n.Holds(s), At: n.Condition.At, Known: true}
	for _, c := range n.Children {
		v.Children = append(v.Children, verdict(c, s))
	}
	switch n.Form {
	case rule.All, rule.Any, rule.None:
		return v
	case rule.Attribute:
		v.Known = n.Value(s).Known()
		v.Value = s.Attributes[n.Condition.Attribute] // as stored: a date stays a date
	default:
		v.Known = n.Value(s).Known()
		v.Value = n.Value(s).String()
	}
	return v
}
