package project

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/weir-cdp/weir"
	"go.yaml.in/yaml/v3"
)

// maxDepth bounds the nesting of a segment's conditions.
const maxDepth = 50

// operators of a comparison; bench definitions give their meaning.
var operators = []string{"is", "is_not", "in", "at_least", "at_most", "more_than", "less_than", "between", "exists", "older_than", "newer_than"}

func (l *loader) segment(r *reader, name string, root *yaml.Node) {
	s := weir.SegmentDef{Name: name, Of: weir.Person}
	found := false
	r.object(root, keys{
		"of":         r.kind(&s.Of),
		"where":      func(n *yaml.Node) { found = true; s.Where = r.condition(n, 0) },
		"categories": r.texts(&s.Categories),
	})
	if !found {
		r.problem(root, "add where: {all: […]}", "segment %s has no where", name)
	}
	l.p.Segments = append(l.p.Segments, s)
}

func (r *reader) kind(into *weir.Kind) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var s string
		r.oneOf(&s, string(weir.Person), string(weir.Account))(n)
		*into = weir.Kind(s)
	}
}

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
		"where":     func(n *yaml.Node) { c.Where = r.where(n) },
		"count":     func(n *yaml.Node) { c.Count = r.comparisons(n) },
		"within":    r.duration(&c.Within),
	}
	for _, op := range operators {
		known[op] = func(n *yaml.Node) { c.Compare = append(c.Compare, r.comparison(op, n)) }
	}
	r.object(n, known)
	if kinds == 0 && (c.Count != nil || c.Within > 0 || c.Where != nil) {
		c.IsEvent, kinds = true, 1 // without `event`, any event
	}
	switch {
	case kinds != 1:
		r.problem(n, "", "a condition has exactly one of all, any, none, attribute, trait, event")
	case (c.Attribute != "" || c.Trait != "") && len(c.Compare) == 0:
		r.problem(n, "add an operator, such as is: FR", "nothing to compare with")
	case c.IsEvent && len(c.Compare) > 0:
		r.problem(n, "put it below where: {PROPERTY: {…}} or count: {…}", "an event itself has no value to compare")
	case !c.IsEvent && (c.Where != nil || c.Count != nil || c.Within > 0):
		r.problem(n, "", "where, count and within belong to an event")
	}
	return c
}

func (r *reader) where(n *yaml.Node) map[string][]weir.Comparison {
	out := map[string][]weir.Comparison{}
	r.each(n, func(k, v *yaml.Node) {
		if v.Kind == yaml.ScalarNode { // {category: shoes} is {category: {is: shoes}}
			out[k.Value] = []weir.Comparison{r.comparison("is", v)}
			return
		}
		out[k.Value] = r.comparisons(v)
	})
	return out
}

func (r *reader) comparisons(n *yaml.Node) []weir.Comparison {
	var out []weir.Comparison
	r.each(n, func(k, v *yaml.Node) {
		if !slices.Contains(operators, k.Value) {
			r.problem(k, didYouMean(k.Value, operators), "unknown operator %q", k.Value)
			return
		}
		out = append(out, r.comparison(k.Value, v))
	})
	return out
}

var spanOperand = regexp.MustCompile(`^\d+(s|m|h|d|w|y)$`)

func (r *reader) comparison(op string, n *yaml.Node) weir.Comparison {
	c := weir.Comparison{Op: op}
	r.texts(&c.Values)(n)
	want := 1
	switch op {
	case "in":
		if len(c.Values) == 0 {
			r.problem(n, "", "in needs at least one value")
		}
		return c
	case "between":
		want = 2
	case "exists":
		if len(c.Values) == 1 && c.Values[0] != "true" && c.Values[0] != "false" {
			r.problem(n, "", "exists is true or false")
		}
	case "older_than", "newer_than":
		if len(c.Values) == 1 && !spanOperand.MatchString(c.Values[0]) {
			r.problem(n, "write it like 30d or 18y", "%q is not a span of time", c.Values[0])
		}
	}
	if len(c.Values) != want {
		r.problem(n, "", "%s takes %s, found %d", op, fmt.Sprintf("%d value(s)", want), len(c.Values))
	}
	return c
}

var aggregates = []string{"sum", "avg", "min", "max", "count", "distinct", "first", "last"}

var traitField = regexp.MustCompile(`^(events|occurred_at|name|properties\..+)$`)

func (l *loader) trait(r *reader, name string, root *yaml.Node) {
	t := weir.TraitDef{Name: name, Of: weir.Person}
	found := false
	compute := func(n *yaml.Node) {
		found = true
		known := keys{"event": r.text(&t.Event), "where": func(n *yaml.Node) { t.Where = r.where(n) }, "within": r.duration(&t.Within)}
		for _, a := range aggregates {
			known[a] = func(n *yaml.Node) {
				if t.Aggregate != "" {
					r.problem(n, "make a second trait", "both %s and %s", t.Aggregate, a)
				}
				t.Aggregate = a
				r.text(&t.Field)(n)
				if !traitField.MatchString(t.Field) {
					r.problem(n, "events, occurred_at, name or properties.NAME", "can't compute from %q", t.Field)
				}
			}
		}
		r.object(n, known)
		if t.Aggregate == "" {
			r.problem(n, "add one of sum, avg, min, max, count, distinct, first, last", "nothing to compute")
		}
	}
	r.object(root, keys{"of": r.kind(&t.Of), "compute": compute, "categories": r.texts(&t.Categories)})
	if !found {
		r.problem(root, "add compute: {sum: properties.revenue, event: Order Completed}", "trait %s computes nothing", name)
	}
	l.p.Traits = append(l.p.Traits, t)
}
