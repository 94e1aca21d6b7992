package tally

import (
	"maps"
	"slices"
	"time"

	"github.com/weir-cdp/weir/pipelines/segment/timeline"
)

// watch is what wants the events of one name, by the slots of the plan.
type watch struct {
	filters   []int
	traits    []int
	measures  []int
	edges     []int
	sequences []int
	busiest   []int
	more      bool // there are measures, edges, sequences or sessions
	ever      bool // something of it has no window
	windows   []*timeline.Window
}

// watchAll sorts what looks at events by the names that it looks at.
func (p *Plan) watchAll() {
	at := func(name string, w *timeline.Window) *watch {
		out := p.always
		if name != "" {
			if out = p.byName[name]; out == nil {
				out = &watch{}
				p.byName[name] = out
			}
		}
		if w == nil || w.Ever() {
			out.ever, out.windows = true, nil
		} else if !out.ever {
			out.windows = append(out.windows, w)
		}
		return out
	}
	for i := range p.book.Filters() {
		f := &p.book.Filters()[i]
		w := at(f.Name, &f.Window)
		w.filters = append(w.filters, i)
	}
	for i := range p.traits {
		if p.traits[i].Given() {
			continue
		}
		f := &p.traits[i].Filter
		w := at(f.Name, &f.Window)
		w.traits = append(w.traits, i)
	}
	for i := range p.book.Measures() {
		f := &p.book.Measures()[i].Filter
		w := at(f.Name, &f.Window)
		w.measures = append(w.measures, i)
	}
	for i := range p.book.Edges() { // the window does not choose the event
		w := at(p.book.Edges()[i].Filter.Name, nil)
		w.edges = append(w.edges, i)
	}
	for i := range p.book.Sequences() {
		q := &p.book.Sequences()[i]
		for _, name := range q.Names() {
			w := at(name, &q.Window)
			w.sequences = append(w.sequences, i)
		}
	}
	for i := range p.book.Busiest() {
		b := &p.book.Busiest()[i]
		w := at(b.Name(), &b.Filter.Window)
		w.busiest = append(w.busiest, i)
	}
	for _, w := range p.byName {
		w.widest()
	}
	p.always.widest()
	for _, w := range append(slices.Collect(maps.Values(p.byName)), p.always) {
		w.more = len(w.measures)+len(w.edges)+len(w.sequences)+len(w.busiest) > 0
	}
}

// widest leaves of the fixed windows the longest one: where that has no room for
// an event, neither has a shorter one.
func (w *watch) widest() {
	var longest *timeline.Window
	var out []*timeline.Window
	for _, x := range w.windows {
		switch {
		case !x.Fixed():
			out = append(out, x)
		case longest == nil || x.Length() > longest.Length():
			longest = x
		}
	}
	if longest != nil {
		out = append(out, longest)
	}
	w.windows = out
}

// Wants says whether some definition may count an event of this name and time.
func (p *Plan) Wants(name string, at, now time.Time) bool {
	if at.After(now) {
		return false
	}
	return p.always.wants(at, now) || p.byName[name].wants(at, now)
}

func (w *watch) wants(at, now time.Time) bool {
	if w == nil || w.ever {
		return w != nil
	}
	for _, x := range w.windows {
		if x.Holds(at, now) {
			return true
		}
	}
	return false
}
