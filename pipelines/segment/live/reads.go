package live

import (
	"maps"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/derive"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// Needed cuts definitions down to these segments and what they rest on: the
// segments that they name and the traits that they compare, over any number of
// steps. What is left comes to the same for them.
func Needed(d tally.Definitions, segments ...string) tally.Definitions {
	wanted := map[string]bool{}
	for queue := slices.Clone(segments); len(queue) > 0; queue = queue[1:] {
		if wanted[queue[0]] {
			continue
		}
		wanted[queue[0]] = true
		for i := range d.Segments {
			if d.Segments[i].Name == queue[0] {
				each(&d.Segments[i].Where, func(c *weir.Condition) {
					if c.Segment != "" {
						queue = append(queue, c.Segment)
					}
				})
			}
		}
	}
	traits := map[string]bool{}
	d.Segments = slices.DeleteFunc(slices.Clone(d.Segments), func(s weir.SegmentDef) bool { return !wanted[s.Name] })
	for i := range d.Segments {
		maps.Copy(traits, rule.TraitsOf(&d.Segments[i].Where))
	}
	for grown := true; grown; {
		grown = false
		for _, t := range d.Traits {
			if !traits[t.Name] {
				continue
			}
			below, _ := derive.Reads(t)
			for _, name := range below {
				grown = grown || !traits[name]
				traits[name] = true
			}
		}
	}
	d.Traits = slices.DeleteFunc(slices.Clone(d.Traits), func(t weir.TraitDef) bool { return !traits[t.Name] })
	return d
}

// Reads are the columns that a question reads.
type Reads struct {
	Attributes []string
	Properties []string // of events, in the order of tally.Plan.Properties
	Events     bool     // whether it looks at events at all
	// Names are those of the events that it looks at; nil: any.
	Names map[string]bool
}

// readsOf says what definitions read, beside attributes that are asked for.
func readsOf(d tally.Definitions, plan *tally.Plan, more []string) Reads {
	attributes := plan.Attributes()
	for _, a := range more {
		attributes[a] = true
	}
	r := Reads{Attributes: slices.Sorted(maps.Keys(attributes)), Properties: plan.Properties(), Names: map[string]bool{}}
	any := false
	note := func(name string) {
		r.Events, any = true, any || name == ""
		r.Names[name] = true
	}
	for _, t := range d.Traits {
		if !derive.Is(t) && t.Score == nil && t.Query == nil {
			note(t.Event)
		}
	}
	for i := range d.Segments {
		each(&d.Segments[i].Where, func(c *weir.Condition) {
			if c.IsEvent {
				note(c.Event)
			}
			if c.Session != "" { // a session is of events of any name
				note("")
			}
			if c.Sequence != nil {
				for _, step := range c.Sequence.Steps {
					note(step.Event)
				}
			}
		})
	}
	if any {
		r.Names = nil
	}
	return r
}

// each visits a condition and all below it.
func each(c *weir.Condition, visit func(*weir.Condition)) {
	visit(c)
	for _, list := range [][]weir.Condition{c.All, c.Any, c.None} {
		for i := range list {
			each(&list[i], visit)
		}
	}
}
