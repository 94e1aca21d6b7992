package project

import (
	"fmt"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
)

// operators of a comparison; docs/segments.md gives their meaning.
var operators = []string{"is", "is_not", "in", "at_least", "at_most", "more_than", "less_than", "between", "exists", "older_than", "newer_than",
	"contains", "starts_with", "ends_with", "anniversary"}

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

func (r *reader) comparison(op string, n *yaml.Node) weir.Comparison {
	c := weir.Comparison{Op: op}
	if op == "anniversary" {
		c.Values = r.anniversary(n)
		return c
	}
	r.texts(&c.Values)(n)
	want := 1
	switch op {
	case "in", "contains", "starts_with", "ends_with":
		if len(c.Values) == 0 {
			r.problem(n, "", "%s needs at least one value", op)
		}
		return c
	case "between":
		want = 2
	case "exists":
		if len(c.Values) == 1 && c.Values[0] != "true" && c.Values[0] != "false" {
			r.problem(n, "", "exists is true or false")
		}
	case "older_than", "newer_than":
		if len(c.Values) == 1 && !calendarSpan.MatchString(c.Values[0]) {
			r.problem(n, "write it like 30d or 18y", "%q is not a span of time", c.Values[0])
		} else if len(c.Values) == 1 {
			if message := spanFault(c.Values[0]); message != "" {
				r.problem(n, "", "%s", message)
			}
		}
	}
	if len(c.Values) != want {
		r.problem(n, "", "%s takes %s, found %d", op, fmt.Sprintf("%d value(s)", want), len(c.Values))
	}
	return c
}

// anniversary reads {next: 7d} or {last: 7d}; within is next.
func (r *reader) anniversary(n *yaml.Node) []string {
	var out []string
	days := func(which string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			var d string
			r.text(&d)(n)
			if !wholeDays.MatchString(d) {
				r.problem(n, "write it like 7d or 2w", "%q is no number of days", d)
			}
			out = append(out, which, d)
		}
	}
	r.object(n, keys{"next": days("next"), "within": days("next"), "last": days("last")})
	if len(out) != 2 {
		r.problem(n, "write it like anniversary: {next: 7d}", "an anniversary is next or last")
	}
	return out
}

var wholeDays = regexp.MustCompile(`^\d{1,4}(d|w)$`)
