package explain

import (
	"sort"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
)

// Line is one line of a definition in plain English.
type Line struct {
	Depth int    `json:"depth"`
	Text  string `json:"text"`
}

// Print prints a segment's rule in plain English, and below it the traits that
// it reads.
func Print(def weir.SegmentDef, traits []weir.TraitDef) []Line {
	kind := def.Of
	if kind == "" {
		kind = weir.Person
	}
	head := "a profile of kind " + string(kind)
	if def.Timezone != "" {
		head += ", by the clocks of " + def.Timezone
	}
	lines := printed([]Line{{0, head}}, &def.Where, 1)
	read, _ := rule.Compared(&def.Where)
	rule.Follow(traits, read, map[string]bool{})
	names := make([]string, 0, len(read))
	for _, t := range traits {
		if read[t.Name] {
			names = append(names, "trait "+t.Name+" is the "+SayTrait(t))
		}
	}
	sort.Strings(names)
	for _, s := range names {
		lines = append(lines, Line{0, s})
	}
	return lines
}

func printed(out []Line, c *weir.Condition, depth int) []Line {
	out = append(out, Line{depth, Say(c)})
	for _, list := range [][]weir.Condition{c.All, c.Any, c.None} {
		for i := range list {
			out = printed(out, &list[i], depth+1)
		}
	}
	if c.Related != nil && c.Related.Where != nil {
		out = printed(out, c.Related.Where, depth+1)
	}
	return out
}

// SayTrait prints what a trait computes.
func SayTrait(t weir.TraitDef) string {
	s := sayComputed(t)
	if t.Timezone != "" {
		s += ", by the clocks of " + t.Timezone
	}
	return s
}

func sayComputed(t weir.TraitDef) string {
	switch {
	case t.Aggregate == weir.Score:
		return "score " + t.Field + ", learned from all profiles"
	case t.Aggregate == weir.Query:
		return "column " + t.Field + " of a query"
	case t.Aggregate == "ratio":
		return "ratio of " + strings.Join(t.Ratio, " to ")
	case t.Aggregate == "expression":
		return "value of " + t.Expression
	case t.Aggregate == "until":
		return "number of days until " + strings.TrimPrefix(t.Field, "attribute.")
	case t.Aggregate == "since" && t.Field != "first" && t.Field != "last":
		return "number of days since " + strings.TrimPrefix(t.Field, "attribute.")
	}
	s := aggregate(t.Aggregate, t.Field) + " of events"
	switch {
	case t.Aggregate == "since":
		s = "number of days since the " + t.Field + " of events"
	case t.Field == "events":
		s = "number of events"
	}
	s += events(t.Event, t.Where)
	if w := window(t.Within, t.Window); w != "" {
		s += " " + w
	}
	if t.Currency != "" && t.Currency != "none" {
		s += ", amounts being in " + strings.TrimPrefix(t.Currency, "properties.")
	}
	return s
}
