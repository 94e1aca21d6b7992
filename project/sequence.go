package project

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
)

// sequence returns the condition's sequence, a new one if it has none.
func (r *reader) sequence(c *weir.Condition) *weir.Sequence {
	if c.Sequence == nil {
		c.Sequence = &weir.Sequence{}
	}
	return c.Sequence
}

// maxSteps is how many steps a sequence has at most.
const maxSteps = 16

// steps reads [{event: A}, {event: B, where: {…}}]; a plain name is an event's.
func (r *reader) steps(n *yaml.Node) []weir.Step {
	var out []weir.Step
	for _, child := range r.list(n) {
		var s weir.Step
		if child.Kind == yaml.ScalarNode {
			r.text(&s.Event)(child)
		} else {
			r.object(child, keys{"event": r.text(&s.Event), "where": func(n *yaml.Node) { s.Where = r.where(n) }})
		}
		if s.Event == "" && s.Where == nil {
			r.problem(child, "write it like {event: Order Completed}", "a step names no event")
		}
		out = append(out, s)
	}
	if len(out) < 2 || len(out) > maxSteps {
		r.problem(n, "", "a sequence has from 2 to %d steps, found %d", maxSteps, len(out))
	}
	return out
}

// spanOf reads a length of time.
func (r *reader) spanOf(n *yaml.Node) string {
	var s string
	r.text(&s)(n)
	if !calendarSpan.MatchString(s) {
		r.problem(n, "write it like 30d or 12h", "%q is not a span of time", s)
	} else if message := spanFault(s); message != "" {
		r.problem(n, "", "%s", message)
	}
	return s
}

var sessionForm = regexp.MustCompile(`^(true|\d{1,6}(m|h|d)|properties\..+)$`)

// session reads true, a gap or a property.
func (r *reader) session(n *yaml.Node) string {
	var s string
	r.text(&s)(n)
	if s == "false" {
		return ""
	}
	if !sessionForm.MatchString(s) {
		r.problem(n, "write true (a gap of 30m), a gap such as 45m, or properties.NAME", "%q is no session", s)
	} else if !strings.HasPrefix(s, "p") && s != "true" {
		if message := spanFault(s); message != "" {
			r.problem(n, "", "%s", message)
		}
	}
	return s
}
