package explain

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
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
	var b strings.Builder
	b.WriteString("number of events")
	if c.Event != "" {
		fmt.Fprintf(&b, " %q", c.Event)
	}
	properties := make([]string, 0, len(c.Where))
	for p := range c.Where {
		properties = append(properties, p)
	}
	sort.Strings(properties)
	for i, p := range properties {
		b.WriteString([]string{" with ", " and "}[min(i, 1)] + p + " " + comparisons(c.Where[p]))
	}
	if c.Within > 0 {
		b.WriteString(" within " + length(c.Within))
	}
	if len(c.Count) == 0 {
		return b.String() + " is at least 1"
	}
	return b.String() + " " + comparisons(c.Count)
}

var words = map[string]string{
	"is": "is", "is_not": "is known and not", "in": "is one of", "at_least": "is at least", "at_most": "is at most",
	"more_than": "is more than", "less_than": "is less than", "between": "is between",
	"older_than": "is longer ago than", "newer_than": "is not longer ago than",
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

func length(d time.Duration) string {
	if days := d / (24 * time.Hour); d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", days)
	}
	return d.String()
}
