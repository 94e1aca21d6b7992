package project

import (
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
)

var aggregates = []string{"sum", "avg", "min", "max", "count", "distinct", "first", "last"}

var traitField = regexp.MustCompile(`^(events|occurred_at|name|properties\..+)$`)

func (r *reader) traitField(n *yaml.Node, field string) {
	if !traitField.MatchString(field) {
		r.problem(n, "events, occurred_at, name or properties.NAME", "can't compute from %q", field)
	}
}

func (l *loader) trait(r *reader, name string, root *yaml.Node) {
	t := weir.TraitDef{Name: name, Of: weir.Person}
	var score *weir.ScoreDef
	found := false
	compute := func(n *yaml.Node) {
		found = true
		known := keys{"event": r.text(&t.Event), "where": func(n *yaml.Node) { t.Where = r.where(n) }, "within": r.within(&t.Within, &t.Window),
			"during": func(n *yaml.Node) { r.during(n, &t.Window) }, "between": func(n *yaml.Node) { r.between(n, &t.Window) }}
		for _, a := range aggregates {
			known[a] = func(n *yaml.Node) {
				if t.Aggregate != "" {
					r.problem(n, "make a second trait", "both %s and %s", t.Aggregate, a)
				}
				t.Aggregate = a
				r.text(&t.Field)(n)
				r.traitField(n, t.Field)
			}
		}
		r.object(n, known)
		if t.Window != nil && t.Within > 0 {
			r.problem(n, "keep one of them", "two windows")
		}
		if t.Aggregate == "" {
			r.problem(n, "add one of sum, avg, min, max, count, distinct, first, last", "nothing to compute")
		}
	}
	learned := func(n *yaml.Node) { found = true; score = r.score(name, n) }
	r.object(root, keys{"of": r.kind(&t.Of), "compute": compute, "score": learned, "categories": r.texts(&t.Categories), "timezone": r.timezone(&t.Timezone)})
	if !found {
		r.problem(root, "add compute: {sum: properties.revenue, event: Order Completed}", "trait %s computes nothing", name)
	}
	if score != nil {
		if t.Aggregate != "" || t.Timezone != "" {
			r.problem(root, "make a second trait", "trait %s is a score: it takes neither compute nor timezone", name)
		}
		l.p.Traits = append(l.p.Traits, score.Traits(t.Of, t.Categories)...)
		return
	}
	l.p.Traits = append(l.p.Traits, t)
}
