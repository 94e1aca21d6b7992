package timeline

import (
	"sort"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Filter picks events by name, properties and window.
type Filter struct {
	Name   string // "": any event
	Window Window
	where  []condition
}

type condition struct {
	slot  int
	tests []value.Test
}

// Compile compiles a filter; properties are compared as values of no declared
// type. A property's comparisons must all hold.
func Compile(name string, where map[string][]weir.Comparison, w Window, l *Layout, loc *time.Location) (Filter, error) {
	f := Filter{Name: name, Window: w}
	for _, property := range sortedKeys(where) {
		if len(where[property]) == 0 {
			return f, weir.Errorf(weir.Invalid, "where names %s, but no comparison", property)
		}
		tests, err := value.CompileAll(where[property], value.Dynamic, loc)
		if err != nil {
			return f, weir.Errorf(weir.Invalid, "property %s: %w", property, err)
		}
		f.where = append(f.where, condition{l.Slot(property), tests})
	}
	return f, nil
}

func sortedKeys(m map[string][]weir.Comparison) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// Picks says whether the filter takes the event at the moment now.
func (f *Filter) Picks(e *Event, now time.Time) bool {
	return (f.Name == e.Name || f.Name == "") && f.Fits(e, now)
}

// Fits says whether window and properties take the event, whatever its name.
func (f *Filter) Fits(e *Event, now time.Time) bool {
	if !f.Window.Holds(e.At, now) {
		return false
	}
	for i := range f.where {
		c := &f.where[i]
		if !value.HoldsAll(c.tests, value.OfText(e.property(c.slot)), now) {
			return false
		}
	}
	return true
}

// Now says whether what the filter picks changes with time alone: it has a
// window, or compares a property with a length of time.
func (f *Filter) Now() bool {
	if f.Window.Now() {
		return true
	}
	for _, c := range f.where {
		for _, t := range c.tests {
			if t.Now() {
				return true
			}
		}
	}
	return false
}

// Slots returns the slots of the properties that the filter compares.
func (f *Filter) Slots() []int {
	out := make([]int, len(f.where))
	for i := range f.where {
		out[i] = f.where[i].slot
	}
	return out
}
