package live

import (
	"maps"
	"slices"

	"github.com/weir-cdp/weir/pipelines/segment/derive"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// Needed is tally.Needed.
func Needed(d tally.Definitions, segments ...string) tally.Definitions {
	return tally.Needed(d, segments...)
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
		for c := range d.Segments[i].Where.Own() {
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
