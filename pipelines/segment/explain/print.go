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
	read := rule.TraitsOf(&def.Where)
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
	return out
}

// SayTrait prints what a trait computes.
func SayTrait(t weir.TraitDef) string {
	s := aggregate(t.Aggregate, t.Field) + " of events"
	if t.Field == "events" {
		s = "number of events"
	}
	s += events(t.Event, t.Where)
	if w := window(t.Within, t.Window); w != "" {
		s += " " + w
	}
	if t.Timezone != "" {
		s += ", by the clocks of " + t.Timezone
	}
	return strings.TrimSpace(s)
}
