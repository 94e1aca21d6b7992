package project

import (
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
)

func (r *reader) condition(n *yaml.Node, depth int) weir.Condition {
	c := weir.Condition{At: r.at(n)}
	if depth > maxDepth {
		r.problem(n, "", "conditions are nested more than %d deep", maxDepth)
		return c
	}
	kinds := 0
	children := func(into *[]weir.Condition) func(*yaml.Node) {
		return func(n *yaml.Node) {
			kinds++
			*into = []weir.Condition{}
			for _, child := range r.list(n) {
				*into = append(*into, r.condition(child, depth+1))
			}
			if len(*into) == 0 {
				r.problem(n, "", "an empty list of conditions")
			}
		}
	}
	known := keys{
		"all": children(&c.All), "any": children(&c.Any), "none": children(&c.None),
		"attribute": func(n *yaml.Node) { kinds++; r.text(&c.Attribute)(n) },
		"trait":     func(n *yaml.Node) { kinds++; r.text(&c.Trait)(n) },
		"event":     func(n *yaml.Node) { kinds++; c.IsEvent = true; r.text(&c.Event)(n) },
		"segment":   func(n *yaml.Node) { kinds++; r.text(&c.Segment)(n) },
		"random":    func(n *yaml.Node) { kinds++; c.Random = r.random(n, false) },
		"holdout":   func(n *yaml.Node) { kinds++; c.Random = r.random(n, true) },
		"sequence":  func(n *yaml.Node) { kinds++; r.sequence(&c).Steps = r.steps(n) },
		"span":      func(n *yaml.Node) { r.sequence(&c).Span = r.spanOf(n) },
		"strict":    func(n *yaml.Node) { r.boolean(&r.sequence(&c).Strict)(n) },
		"session":   func(n *yaml.Node) { c.Session = r.session(n) },
		"people":    func(n *yaml.Node) { kinds++; r.howMany(n, weir.Person, &c) },
		"accounts":  func(n *yaml.Node) { kinds++; r.howMany(n, weir.Account, &c) },
		"where":     func(n *yaml.Node) { c.Where = r.where(n) },
		"count":     func(n *yaml.Node) { c.Count = r.comparisons(n) },
		"within":    r.within(&c.Within, &c.Window),
		"during":    func(n *yaml.Node) { r.during(n, &c.Window) },
		"first":     func(n *yaml.Node) { r.edge(n, "first", &c) },
		"last":      func(n *yaml.Node) { r.edge(n, "last", &c) },
		"recency":   func(n *yaml.Node) { r.recency(n, &c) },
	}
	if isRelated(n) {
		known["where"] = func(n *yaml.Node) {
			where := r.condition(n, depth+1)
			relatedOf(&c).Where = &where
		}
	}
	for _, how := range measured {
		known[how] = func(n *yaml.Node) { r.measure(n, how, &c) }
	}
	for _, op := range operators {
		known[op] = func(n *yaml.Node) { c.Compare = append(c.Compare, r.comparison(op, n)) }
	}
	r.object(n, known)
	if kinds == 0 && c.Sequence != nil {
		r.problem(n, "add sequence: [{event: A}, {event: B}]", "span and strict belong to a sequence")
		return c
	}
	if kinds == 0 && ofEvents(&c) {
		c.IsEvent, kinds = true, 1 // without `event`, any event
	}
	if (c.IsEvent || c.Sequence != nil) && len(c.Compare) == 1 && c.Compare[0].Op == "between" { // of an event it is a window
		r.ends(n, &c.Window, c.Compare[0].Values)
		c.Compare = nil
	}
	switch {
	case c.Sequence != nil && c.Sequence.Steps == nil && kinds == 1:
		r.problem(n, "", "span and strict belong to a sequence")
	case kinds != 1:
		r.problem(n, "", "a condition has exactly one of all, any, none, attribute, trait, event, segment, random, holdout, sequence, people, accounts")
	case (c.Attribute != "" || c.Trait != "") && len(c.Compare) == 0:
		r.problem(n, "add an operator, such as is: FR", "nothing to compare with")
	case c.IsEvent && len(c.Compare) > 0:
		r.problem(n, "put it below where: {PROPERTY: {…}} or count: {…}", "an event itself has no value to compare")
	case c.Sequence != nil && (c.Count != nil || c.Where != nil || c.Which != "" || c.Measures != nil):
		r.problem(n, "put where into a step", "a sequence has a window and a session, but no where, count or aggregate")
	case c.Related != nil && (ofEvents(&c) || len(c.Compare) > 0):
		r.problem(n, "write it like {people: {at_least: 3}, where: {…}}", "what is asked of each of them goes below where, and how many beside people or accounts")
	case c.Sequence == nil && !c.IsEvent && ofEvents(&c):
		r.problem(n, "", "where, count, within and what is computed of events belong to an event")
	case c.Window != nil && c.Within > 0:
		r.problem(n, "keep one of them", "two windows")
	}
	return c
}

// ofEvents says whether the condition has a key that only an event has.
func ofEvents(c *weir.Condition) bool {
	return c.Count != nil || c.Within > 0 || c.Where != nil || c.Window != nil || c.Which != "" || c.Measures != nil || c.Session != ""
}

// measured are the aggregates that an event condition compares, beside count,
// first and last.
var measured = []string{"sum", "avg", "min", "max", "distinct"}

// measure reads {of: properties.revenue, at_least: 100}.
func (r *reader) measure(n *yaml.Node, how string, c *weir.Condition) {
	m := weir.Measure{How: how}
	known := keys{"of": func(n *yaml.Node) { r.text(&m.Of)(n); r.traitField(n, m.Of) }, "currency": func(n *yaml.Node) { m.Currency = r.currency(n) }}
	for _, op := range operators {
		known[op] = func(n *yaml.Node) { m.Compare = append(m.Compare, r.comparison(op, n)) }
	}
	r.object(n, known)
	if m.Of == "" {
		r.problem(n, "add of: properties.NAME", "%s of what?", how)
	}
	if len(m.Compare) == 0 {
		r.problem(n, "add an operator, such as at_least: 100", "nothing to compare with")
	}
	c.Measures = append(c.Measures, m)
}

// edge reads `first: true`, or a first value to compare.
func (r *reader) edge(n *yaml.Node, which string, c *weir.Condition) {
	if n.Kind == yaml.MappingNode {
		r.measure(n, which, c)
		return
	}
	var is bool
	r.boolean(&is)(n)
	if is && c.Which != "" {
		r.problem(n, "make it two conditions", "both first and last")
	}
	if is {
		c.Which = which
	}
}

// recency reads {older_than: 30d}: of the last of the events.
func (r *reader) recency(n *yaml.Node, c *weir.Condition) {
	m := weir.Measure{How: "last", Of: "occurred_at", Compare: r.comparisons(n)}
	for _, one := range m.Compare {
		if one.Op != "older_than" && one.Op != "newer_than" && one.Op != "exists" {
			r.problem(n, "use older_than or newer_than", "recency is an age")
		}
	}
	if len(m.Compare) == 0 {
		r.problem(n, "write it like recency: {older_than: 30d}", "nothing to compare with")
	}
	c.Measures = append(c.Measures, m)
}

var percent = regexp.MustCompile(`^(100(\.0+)?|\d{1,2}(\.\d{1,9})?)$`)

// random reads {percent: 10, seed: winter} or {percent: [10, 30]}.
func (r *reader) random(n *yaml.Node, holdout bool) *weir.Random {
	out := &weir.Random{Holdout: holdout}
	r.object(n, keys{"seed": r.text(&out.Seed), "percent": func(n *yaml.Node) {
		var ends []string
		r.texts(&ends)(n)
		if len(ends) < 1 || len(ends) > 2 {
			r.problem(n, "write percent: 10, or percent: [10, 30]", "percent takes one number or two")
			return
		}
		for _, p := range ends {
			if !percent.MatchString(p) {
				r.problem(n, "", "%q is no percentage from 0 to 100", p)
			}
		}
		out.To = ends[len(ends)-1]
		if len(ends) == 2 {
			out.From = ends[0]
		}
	}})
	if out.To == "" {
		r.lacks("percent", n, "write it like {percent: 10, seed: winter}", "a random share without percent")
	}
	return out
}
