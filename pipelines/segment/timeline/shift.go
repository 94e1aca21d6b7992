package timeline

import (
	"math"
	"time"
)

// Between is the window of moments from low to high, both included.
func Between(low, high int64) Micros {
	if high == math.MaxInt64 {
		return Micros{From: low, Until: high}
	}
	return Micros{From: low, Until: high + 1}
}

// Shift is a window at two moments.
type Shift struct{ Before, After Micros }

// Moves says whether an event comes into the window, or leaves it.
func (s Shift) Moves(at int64) bool { return s.Before.Holds(at) != s.After.Holds(at) }

// Shift returns the window at two moments.
func (w *Window) Shift(before, after time.Time) Shift {
	return Shift{w.Micros(before), w.Micros(after)}
}

// slack is by how much a window's beginning may lie before that of an earlier moment:
// a month before 31 March is a month before 28 March, and clocks go back.
const slack = 5 * 24 * time.Hour

// Later is the window of all that the window can hold at now or at any later moment.
func (w *Window) Later(now time.Time) Micros {
	m := w.Micros(now)
	if m.From != math.MinInt64 {
		m.From -= slack.Microseconds()
	}
	m.Until = math.MaxInt64
	return m
}

// HasAge says whether the filter compares a property with a length of time.
func (f *Filter) HasAge() bool {
	for _, c := range f.where {
		for _, t := range c.tests {
			if t.Now() {
				return true
			}
		}
	}
	return false
}
