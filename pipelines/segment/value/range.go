package value

import (
	"math"
	"time"
)

// Numbers returns the bounds, both included and in billionths, between which a
// number of usual size has to lie for the test to hold; false where the test asks
// for something else.
func (t *Test) Numbers() (low, high int64, ok bool) {
	if t.form != number || t.many != nil || t.dynamic && !ordered(t.op) || len(t.operands) == 0 {
		return 0, 0, false
	}
	first, small := t.operands[0].num.Billionths()
	last, small2 := t.operands[len(t.operands)-1].num.Billionths()
	if !small || !small2 || first == math.MaxInt64 || first == math.MinInt64 {
		return 0, 0, false
	}
	switch t.op {
	case "at_least":
		return first, math.MaxInt64, true
	case "more_than":
		return first + 1, math.MaxInt64, true
	case "at_most":
		return math.MinInt64, first, true
	case "less_than":
		return math.MinInt64, first - 1, true
	case "between":
		return first, last, true
	case "is":
		return first, first, true
	}
	return 0, 0, false
}

// Moments returns the bounds, both included and in microseconds since 1970, between
// which a moment in whole microseconds has to lie for the test to hold at now; false
// where the test asks for something else.
func (t *Test) Moments(now time.Time) (low, high int64, ok bool) {
	if t.form != moment {
		return 0, 0, false
	}
	switch t.op {
	case "older_than":
		return math.MinInt64, microsFrom(t.span.Before(now, t.loc)) - 1, true
	case "newer_than":
		return microsFrom(t.span.Before(now, t.loc)), math.MaxInt64, true
	}
	return 0, 0, false
}

// microsFrom is the first whole microsecond that is not before t.
func microsFrom(t time.Time) int64 {
	n := t.UnixMicro()
	if time.UnixMicro(n).Before(t) {
		n++
	}
	return n
}

// Bounds intersects the bounds of tests that all have some, by one of the methods
// above.
func Bounds(tests []Test, of func(t *Test) (low, high int64, ok bool)) (low, high int64, ok bool) {
	low, high = math.MinInt64, math.MaxInt64
	for i := range tests {
		l, h, ok := of(&tests[i])
		if !ok {
			return 0, 0, false
		}
		low, high = max(low, l), min(high, h)
	}
	return low, high, len(tests) > 0
}
