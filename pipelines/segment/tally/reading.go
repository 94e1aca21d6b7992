package tally

import (
	"slices"
	"time"

	"github.com/weir-cdp/weir/pipelines/segment/timeline"
)

// Reading is what a plan wants of the events of one name.
type Reading struct {
	always, named wanted
}

// wanted is what some definitions want of events: of which times, and which of
// their properties.
type wanted struct {
	windows []timeline.Micros
	slots   []bool // by slot of the layout
}

// Reading returns what the plan wants at now of events of the name.
func (p *Plan) Reading(name string, now time.Time) Reading {
	return p.reading(name, func(w *timeline.Window) timeline.Micros { return w.Micros(now) })
}

// Keeping returns what the plan wants of them at now or at any later moment.
func (p *Plan) Keeping(name string, now time.Time) Reading {
	return p.reading(name, func(w *timeline.Window) timeline.Micros { return w.Later(now) })
}

func (p *Plan) reading(name string, at func(*timeline.Window) timeline.Micros) Reading {
	r := Reading{always: p.wantedBy(p.always, at)}
	if w := p.byName[name]; w != nil {
		r.named = p.wantedBy(w, at)
	}
	for i, is := range r.always.slots { // who wants the event by its name has it with all
		if is && r.named.slots != nil {
			r.named.slots[i] = true
		}
	}
	return r
}

// Slots returns the properties that are wanted of an event of this time, in
// microseconds since 1970, by slot of the layout; nil: the event is not wanted.
func (r *Reading) Slots(at int64) []bool {
	for _, w := range r.named.windows {
		if w.Holds(at) {
			return r.named.slots
		}
	}
	for _, w := range r.always.windows {
		if w.Holds(at) {
			return r.always.slots
		}
	}
	return nil
}

func (p *Plan) wantedBy(w *watch, at func(*timeline.Window) timeline.Micros) wanted {
	out := wanted{slots: make([]bool, len(p.book.Layout().Names()))}
	if w.ever {
		out.windows = []timeline.Micros{at(&timeline.Window{})}
	}
	for _, x := range w.windows {
		out.windows = append(out.windows, at(x))
	}
	mark := func(slots []int) {
		for _, i := range slots {
			out.slots[i] = true
		}
	}
	for _, i := range w.filters {
		mark(p.book.Filters()[i].Slots())
	}
	for _, i := range w.traits {
		mark(p.traits[i].Slots())
	}
	for _, i := range w.measures {
		mark(p.book.Measures()[i].Slots())
	}
	for _, i := range w.edges {
		mark(p.book.Edges()[i].Filter.Slots())
	}
	if len(w.sequences)+len(w.busiest) > 0 { // steps and sessions look at more
		out.slots = slices.Repeat([]bool{true}, len(out.slots))
	}
	return out
}
