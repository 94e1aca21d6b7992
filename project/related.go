package project

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
)

// isRelated says whether a condition's node asks about people or accounts.
func isRelated(n *yaml.Node) bool {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if key := n.Content[i].Value; key == "people" || key == "accounts" {
			return true
		}
	}
	return false
}

// relatedOf returns what the condition asks about people or accounts, a new one if
// it has none.
func relatedOf(c *weir.Condition) *weir.Related {
	if c.Related == nil {
		c.Related = &weir.Related{}
	}
	return c.Related
}

// howMany reads any, all, none or comparisons of a number: {at_least: 3}.
func (r *reader) howMany(n *yaml.Node, kind weir.Kind, c *weir.Condition) {
	to := relatedOf(c)
	to.Kind = kind
	if n.Kind != yaml.MappingNode {
		r.oneOf(&to.How, "any", "all", "none")(n)
		return
	}
	to.Count = r.comparisons(n)
	for _, one := range to.Count {
		if !slices.Contains([]string{"is", "is_not", "in", "at_least", "at_most", "more_than", "less_than", "between"}, one.Op) {
			r.problem(n, "use at_least, at_most, between or is", "%s of a number of people or accounts", one.Op)
		}
	}
	if len(to.Count) == 0 {
		r.problem(n, "write any, all, none, or {at_least: 3}", "nothing to compare with")
	}
}

// checkRelated checks what a segment asks about people of accounts and accounts of
// people: of the other kind, and one step.
func (l *loader) checkRelated(s weir.SegmentDef) {
	for c := range s.Where.Own() {
		if c.Related == nil {
			continue
		}
		switch {
		case c.Related.Kind != s.Of:
		case s.Of == weir.Person:
			l.add(c.At, "write of: account, or ask for accounts", "an account has people, and this segment is of kind person")
		default:
			l.add(c.At, "write of: person, or ask for people", "a person has accounts, and this segment is of kind account")
		}
		if c.Related.Where != nil {
			l.checkWithin(c.Related)
		}
	}
}

const oneStep = "one step, from accounts to people or back, is all there is"

// checkWithin checks what is asked of each.
func (l *loader) checkWithin(r *weir.Related) {
	for c := range r.Where.Own() {
		if c.Related != nil {
			l.add(c.At, oneStep, "conditions about people and accounts don't nest")
		}
		named, ok := l.p.Segment(c.Segment)
		if !ok {
			continue
		}
		if named.Of != r.Kind {
			l.add(c.At, "name one of kind "+string(r.Kind), "segment %s is of kind %s, and this asks about kind %s", named.Name, named.Of, r.Kind)
			continue
		}
		if name := l.p.asksRelated(named.Name); name != "" {
			l.add(c.At, oneStep, "segment %s asks about people or accounts itself, and such conditions don't nest", name)
		}
	}
}

// asksRelated returns the segment, among one and those that it names over any number
// of steps, that asks about people or accounts; "": none does.
func (p *Project) asksRelated(name string) string {
	for _, n := range append([]string{name}, p.segmentsBelow(name)...) {
		s, _ := p.Segment(n)
		if s.Where.AsksRelated() {
			return n
		}
	}
	return ""
}
