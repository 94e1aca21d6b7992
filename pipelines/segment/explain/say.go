package explain

import (
	"fmt"
	"sort"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
)

// Say prints a condition in plain English, without its children.
func Say(c *weir.Condition) string {
	switch {
	case c.All != nil:
		return "all of these"
	case c.Any != nil:
		return "at least one of these"
	case c.None != nil:
		return "none of these"
	case c.Attribute != "":
		return c.Attribute + " " + comparisons(c.Compare)
	case c.Trait != "":
		return "trait " + c.Trait + " " + comparisons(c.Compare)
	}
	switch {
	case c.Segment != "":
		return "is in segment " + c.Segment
	case c.Random != nil:
		return random(c.Random)
	case c.Sequence != nil:
		return sequence(c)
	case c.Related != nil:
		return related(c.Related)
	}
	var parts []string
	for _, part := range rule.Parts(c) {
		parts = append(parts, sayEvents(&part))
	}
	return strings.Join(parts, ", and ")
}

// sequence prints steps one after the other.
func sequence(c *weir.Condition) string {
	var steps []string
	for _, step := range c.Sequence.Steps {
		s := strings.TrimSpace(events(step.Event, step.Where))
		if step.Event == "" {
			s = strings.TrimSpace("any event " + s)
		}
		steps = append(steps, s)
	}
	s := strings.Join(steps, ", then ")
	if c.Sequence.Span != "" {
		s += ", in at most " + c.Sequence.Span
	}
	if c.Sequence.Strict {
		s += ", with no other of these events between"
	}
	if c.Session != "" {
		s += ", in one " + session(c.Session)
	}
	if w := window(c.Within, c.Window); w != "" {
		s += ", " + w
	}
	return s
}

func session(s string) string {
	switch property, is := strings.CutPrefix(s, "properties."); {
	case is:
		return property
	case s == "true":
		return "session"
	}
	return "session (" + s + " apart)"
}

func random(r *weir.Random) string {
	s := "is among the random " + r.To + " %"
	if r.From != "" {
		s = "is among the random " + r.From + " to " + r.To + " %"
	}
	if r.Holdout {
		s = strings.Replace(s, "is among", "is not among", 1)
	}
	if r.Seed != "" {
		s += " of " + r.Seed
	}
	return s
}

// sayEvents prints an event condition of one part.
func sayEvents(c *weir.Condition) string {
	which := events(c.Event, c.Where)
	if w := window(c.Within, c.Window); w != "" {
		which += " " + w
	}
	switch {
	case c.Which != "":
		return edge(c)
	case len(c.Measures) == 1 && c.Measures[0].How == "last" && c.Measures[0].Of == "occurred_at":
		return "the last of events" + which + " " + comparisons(c.Measures[0].Compare)
	case len(c.Measures) == 1:
		m := c.Measures[0]
		return aggregate(m.How, m.Of) + " of events" + which + " " + comparisons(m.Compare)
	case c.Session != "" && len(c.Count) == 0:
		return "largest number of events" + which + " in one " + session(c.Session) + " is at least 1"
	case c.Session != "":
		return "largest number of events" + which + " in one " + session(c.Session) + " " + comparisons(c.Count)
	case len(c.Count) == 0:
		return "number of events" + which + " is at least 1"
	}
	return "number of events" + which + " " + comparisons(c.Count)
}

// events prints which events are meant, after the word.
func events(name string, where map[string][]weir.Comparison) string {
	var b strings.Builder
	if name != "" {
		fmt.Fprintf(&b, " %q", name)
	}
	b.WriteString(properties(where))
	return b.String()
}

func properties(where map[string][]weir.Comparison) string {
	names := make([]string, 0, len(where))
	for p := range where {
		names = append(names, p)
	}
	sort.Strings(names)
	var b strings.Builder
	for i, p := range names {
		b.WriteString([]string{" with ", " and "}[min(i, 1)] + p + " " + comparisons(where[p]))
	}
	return b.String()
}

func edge(c *weir.Condition) string {
	s := "the " + c.Which + " event"
	if c.Event != "" {
		s += fmt.Sprintf(" %q", c.Event)
	}
	var has []string
	if w := window(c.Within, c.Window); w != "" {
		has = append(has, "is "+w)
	}
	if p := properties(c.Where); p != "" {
		has = append(has, "is one"+p)
	}
	if len(has) == 0 {
		return "there is a " + strings.TrimPrefix(s, "the ")
	}
	return s + " " + strings.Join(has, " and ")
}

var aggregates = map[string]string{
	"sum": "sum", "avg": "average", "min": "lowest", "max": "highest", "distinct": "number of different values",
	"first": "first", "last": "last", "count": "number", "most_frequent": "most frequent", "list": "list of different values",
}

// aggregate prints "sum of revenue", "first occurred_at".
func aggregate(how, of string) string {
	of = strings.TrimPrefix(of, "properties.")
	switch how {
	case "sum", "avg", "distinct", "count", "list":
		return aggregates[how] + " of " + of
	}
	return aggregates[how] + " " + of
}

var words = map[string]string{
	"is": "is", "is_not": "is known and not", "in": "is one of", "at_least": "is at least", "at_most": "is at most",
	"more_than": "is more than", "less_than": "is less than", "between": "is between",
	"older_than": "is longer ago than", "newer_than": "is not longer ago than",
	"contains": "contains", "starts_with": "starts with", "ends_with": "ends with",
}

func comparisons(cs []weir.Comparison) string {
	out := make([]string, 0, len(cs))
	for _, c := range cs {
		switch {
		case c.Op == "exists" && len(c.Values) == 1 && c.Values[0] == "false":
			out = append(out, "is unknown")
		case c.Op == "exists":
			out = append(out, "is known")
		case c.Op == "between":
			out = append(out, words[c.Op]+" "+strings.Join(c.Values, " and "))
		case c.Op == "anniversary" && len(c.Values) == 2:
			out = append(out, "has its anniversary in the "+c.Values[0]+" "+c.Values[1])
		case (c.Op == "contains" || c.Op == "starts_with" || c.Op == "ends_with") && len(c.Values) > 1:
			out = append(out, words[c.Op]+" one of "+operands(c.Values))
		default:
			out = append(out, words[c.Op]+" "+operands(c.Values))
		}
	}
	return strings.Join(out, " and ")
}

// operands prints a list of any length in bounded space.
func operands(vs []string) string {
	const shown = 10
	if len(vs) <= shown {
		return strings.Join(vs, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(vs[:shown], ", "), len(vs)-shown)
}
