package timeline

import (
	"sort"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Filter picks events by name, properties and window.
type Filter struct {
	Name   string        // "": any event
	Within time.Duration // 0: ever up to now
	where  []condition
}

type condition struct {
	slot  int
	tests []value.Test
}

// Compile compiles a filter; properties are compared as values of no declared
// type. A property's comparisons must all hold.
func Compile(name string, where map[string][]weir.Comparison, within time.Duration, l *Layout, loc *time.Location) (Filter, error) {
	f := Filter{Name: name, Within: within}
	if err := CheckWindow(within); err != nil {
		return f, err
	}
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

// CheckWindow refuses a window of less than nothing or of more than 100 years.
func CheckWindow(within time.Duration) error {
	if within < 0 {
		return weir.Errorf(weir.Invalid, "within must be more than nothing, not %s", within)
	}
	if within > value.MaxWindow {
		return weir.Errorf(weir.Invalid, "within is longer than 100 years").Then("leave it out to mean ever")
	}
	return nil
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
	if f.Name != "" && f.Name != e.Name || e.At.After(now) {
		return false
	}
	if f.Within > 0 && !e.At.After(now.Add(-f.Within)) {
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
	if f.Within > 0 {
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
