package timeline

import (
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Window bounds events by time, never beyond now. The zero Window is ever.
type Window struct {
	fixed  time.Duration // (now - fixed, now]
	bounds func(now time.Time) Bounds
	timed  bool // the bounds move with now
	last   *atomic.Pointer[resolved]
}

// Bounds are the moments from From to before Until; a zero From is ever.
type Bounds struct{ From, Until time.Time }

type resolved struct {
	now time.Time
	Bounds
}

// tick is the smallest difference of two moments.
const tick = time.Nanosecond

// CompileWindow compiles what a definition says of time. within and w must not
// both say something; a window of nothing or of more than 100 years is refused.
func CompileWindow(within time.Duration, w *weir.Window, loc *time.Location) (Window, error) {
	if err := CheckWindow(within); err != nil {
		return Window{}, err
	}
	if w == nil {
		return Window{fixed: within, timed: within > 0}, nil
	}
	said := 0
	for _, is := range []bool{within != 0, w.Within != "", len(w.Between) > 0, w.During != ""} {
		if is {
			said++
		}
	}
	if said != 1 {
		return Window{}, weir.Errorf(weir.Invalid, "a window is one of within, between and during, and this has %d", said)
	}
	out := Window{timed: true, last: &atomic.Pointer[resolved]{}}
	var err error
	switch {
	case w.Within != "":
		out.bounds, err = ages(w.Within, "", loc)
	case w.During != "":
		out.bounds, err = during(w.During, loc)
	default:
		out.bounds, out.timed, err = between(w.Between, loc)
	}
	return out, err
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

// Ever says whether the window has no beginning.
func (w *Window) Ever() bool { return w.fixed == 0 && w.bounds == nil }

// Fixed says whether the window is the last Length up to now.
func (w *Window) Fixed() bool { return w.fixed > 0 }

// Length is that of a fixed window.
func (w *Window) Length() time.Duration { return w.fixed }

// Now says whether what lies in the window changes with time alone, apart from
// events later than now.
func (w *Window) Now() bool { return w.timed }

// Holds says whether a moment lies in the window at now.
func (w *Window) Holds(at, now time.Time) bool {
	if w.bounds == nil {
		return !at.After(now) && (w.fixed == 0 || at.After(now.Add(-w.fixed)))
	}
	b := w.resolve(now)
	return !at.Before(b.From) && at.Before(b.Until)
}

// At returns the window's bounds at now.
func (w *Window) At(now time.Time) Bounds {
	switch {
	case w.bounds != nil:
		return w.resolve(now).Bounds
	case w.fixed > 0:
		return Bounds{now.Add(-w.fixed + tick), now.Add(tick)}
	}
	return Bounds{Until: now.Add(tick)}
}

// resolve remembers the bounds of the last now: a run has one.
func (w *Window) resolve(now time.Time) *resolved {
	if r := w.last.Load(); r != nil && r.now.Equal(now) {
		return r
	}
	b := w.bounds(now)
	if later := now.Add(tick); b.Until.After(later) {
		b.Until = later
	}
	r := &resolved{now, b}
	w.last.Store(r)
	return r
}

// between compiles two ages, the longer first, or two dates or times in order.
// Dates are whole days.
func between(ends []string, loc *time.Location) (bounds func(time.Time) Bounds, timed bool, err error) {
	if len(ends) != 2 {
		return nil, false, weir.Errorf(weir.Invalid, "between takes two ages or two dates, not %d", len(ends))
	}
	from, fromDate, ok := value.ParseMoment(ends[0], loc)
	until, untilDate, ok2 := value.ParseMoment(ends[1], loc)
	if ok != ok2 {
		return nil, false, weir.Errorf(weir.Invalid, "between takes two ages or two dates, not one of each: %s", strings.Join(ends, ", "))
	}
	if !ok {
		bounds, err = ages(ends[0], ends[1], loc)
		return bounds, true, err
	}
	if from.After(until) {
		return nil, false, weir.Errorf(weir.Invalid, "between has its ends in the wrong order: %s", strings.Join(ends, ", "))
	}
	if fromDate {
		year, month, day := from.Date()
		from = dawn(year, month, day, loc)
	}
	if fromDate != untilDate {
		return nil, false, weir.Errorf(weir.Invalid, "between takes two dates or two times, not one of each: %s", strings.Join(ends, ", "))
	}
	if untilDate {
		year, month, day := until.Date()
		until = dawn(year, month, day+1, loc)
	} else {
		until = until.Add(tick)
	}
	b := Bounds{from, until}
	return func(time.Time) Bounds { return b }, false, nil
}

// ages is (now - older, now - younger]; "" is now.
func ages(older, younger string, loc *time.Location) (func(time.Time) Bounds, error) {
	far, err := value.ParseSpan(older)
	if err != nil {
		return nil, err
	}
	var near value.Span
	if younger != "" {
		if near, err = value.ParseSpan(younger); err != nil {
			return nil, err
		}
		if far.Longest() <= near.Shortest() {
			return nil, weir.Errorf(weir.Invalid, "between takes the longer age first: %s, %s", older, younger)
		}
	}
	return func(now time.Time) Bounds {
		return Bounds{far.Before(now, loc).Add(tick), near.Before(now, loc).Add(tick)}
	}, nil
}

// Micros is a window at one now, in microseconds since 1970: from From to before
// Until.
type Micros struct{ From, Until int64 }

// Holds says whether a moment lies in the window.
func (m Micros) Holds(at int64) bool { return m.From <= at && at < m.Until }

// Micros returns the window at now: of moments in whole microseconds, it holds those
// that Holds says.
func (w *Window) Micros(now time.Time) Micros {
	b := w.At(now)
	out := Micros{From: math.MinInt64, Until: above(b.Until)}
	if !b.From.IsZero() {
		out.From = above(b.From)
	}
	return out
}

// above is the first whole microsecond that is not before t.
func above(t time.Time) int64 {
	n := t.UnixMicro()
	if time.UnixMicro(n).Before(t) {
		n++
	}
	return n
}
