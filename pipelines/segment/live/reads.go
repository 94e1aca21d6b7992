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
	defs := make(map[string]*weir.SegmentDef, len(d.Segments))
	for i := range d.Segments {
		defs[d.Segments[i].Name] = &d.Segments[i]
	}
	wanted, traits := map[string]bool{}, map[string]bool{}
	for _, name := range segments {
		reached, compared := rule.Reach(name, defs)
		for _, s := range reached {
			wanted[s] = true
		}
		maps.Copy(traits, compared)
	}
	d.Segments = slices.DeleteFunc(slices.Clone(d.Segments), func(s weir.SegmentDef) bool { return !wanted[s.Name] })
	rule.Follow(d.Traits, derive.Reads, traits, map[string]bool{})
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
		for c := range d.Segments[i].Where.Tree() {
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
		}
	}
	if any {
		r.Names = nil
	}
	return r
}
