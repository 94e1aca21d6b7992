package project

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
)

var aggregates = []string{"sum", "avg", "min", "max", "count", "distinct", "first", "last", "most_frequent", "list"}

var traitField = regexp.MustCompile(`^(events|occurred_at|name|properties\..+)$`)

func (r *reader) traitField(n *yaml.Node, field string) {
	if !traitField.MatchString(field) {
		r.problem(n, "events, occurred_at, name or properties.NAME", "can't compute from %q", field)
	}
}

// computed are the traits that read no property: what they take.
var computed = []string{"since", "until", "ratio", "expression"}

// trait reads one trait's file.
func (l *loader) trait(r *reader, name string, root *yaml.Node) {
	t := weir.TraitDef{Name: name, Of: weir.Person}
	var score *weir.ScoreDef
	var query *weir.QueryDef
	found := false
	r.object(root, keys{"of": r.kind(&t.Of), "categories": r.texts(&t.Categories), "timezone": r.timezone(&t.Timezone),
		"compute": func(n *yaml.Node) {
			found = true
			t.At = r.at(n)
			r.compute(n, &t)
		},
		"score": func(n *yaml.Node) { found = true; score = r.score(name, n) },
		"query": func(n *yaml.Node) { found = true; query = r.query(name, n) }})
	if !found {
		r.problem(root, "add compute: {sum: properties.revenue, event: Order Completed}", "trait %s computes nothing", name)
	}
	if (score != nil || query != nil) && (t.Aggregate != "" || t.Timezone != "" || score != nil && query != nil) {
		r.problem(root, "make a second trait", "trait %s is one of compute, score and query, and timezone goes with compute alone", name)
	}
	if query != nil {
		l.p.Traits = append(l.p.Traits, query.Traits(t.Of, t.Categories)...)
		return
	}
	if score != nil {
		l.p.Traits = append(l.p.Traits, score.Traits(t.Of, t.Categories)...)
		return
	}
	l.p.Traits = append(l.p.Traits, t)
}

// compute reads what a trait computes.
func (r *reader) compute(n *yaml.Node, t *weir.TraitDef) {
	known := keys{"event": r.text(&t.Event), "where": func(n *yaml.Node) { t.Where = r.where(n) }, "within": r.within(&t.Within, &t.Window),
		"during": func(n *yaml.Node) { r.during(n, &t.Window) }, "between": func(n *yaml.Node) { r.between(n, &t.Window) },
		"currency": func(n *yaml.Node) { t.Currency = r.currency(n) }}
	for _, a := range append(slices.Clone(aggregates), computed...) {
		known[a] = func(n *yaml.Node) {
			if t.Aggregate != "" {
				r.problem(n, "make a second trait", "both %s and %s", t.Aggregate, a)
			}
			t.Aggregate = a
			r.operand(n, t)
		}
	}
	r.object(n, known)
	if t.Window != nil && t.Within > 0 {
		r.problem(n, "keep one of them", "two windows")
	}
	if t.Aggregate == "" {
		r.problem(n, "add one of "+strings.Join(append(slices.Clone(aggregates), computed...), ", "), "nothing to compute")
	}
	ofEvents := !slices.Contains(computed, t.Aggregate) || t.Field == "first" || t.Field == "last"
	if !ofEvents && (t.Event != "" || t.Where != nil || t.Within > 0 || t.Window != nil || t.Currency != "") {
		r.problem(n, "put them into a trait of their own, and name that", "%s looks at no events", t.Aggregate)
	}
}

var moment = regexp.MustCompile(`^((attribute|trait)\.[a-zA-Z_][a-zA-Z0-9_]*)$`)

// operand reads what stands after the aggregate's name.
func (r *reader) operand(n *yaml.Node, t *weir.TraitDef) {
	switch t.Aggregate {
	case "ratio":
		r.texts(&t.Ratio)(n)
		if len(t.Ratio) != 2 {
			r.problem(n, "write ratio: [refunds, orders]", "a ratio is of two traits, found %d", len(t.Ratio))
		}
	case "expression":
		r.text(&t.Expression)(n)
		if strings.TrimSpace(t.Expression) == "" {
			r.problem(n, "write it like trait.lifetime_value / trait.orders", "an empty expression")
		}
	case "since", "until":
		r.text(&t.Field)(n)
		edge := t.Aggregate == "since" && (t.Field == "first" || t.Field == "last")
		if !edge && !moment.MatchString(t.Field) {
			r.problem(n, "first or last (of since), attribute.NAME or trait.NAME", "can't compute %s %q", t.Aggregate, t.Field)
		}
	case "most_frequent", "list":
		r.text(&t.Field)(n)
		if t.Field != "name" && !strings.HasPrefix(t.Field, "properties.") {
			r.problem(n, "name or properties.NAME", "can't compute %s of %q", t.Aggregate, t.Field)
		}
	default:
		r.text(&t.Field)(n)
		r.traitField(n, t.Field)
	}
}

// currency reads where an amount's currency is.
func (r *reader) currency(n *yaml.Node) string {
	var s string
	r.text(&s)(n)
	if s != "none" && (!strings.HasPrefix(s, "properties.") || s == "properties.") {
		r.problem(n, "properties.NAME, or none", "%q names no currency", s)
	}
	return s
}
