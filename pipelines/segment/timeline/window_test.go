package timeline

import (
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Skipf("no time zones on this machine, install tzdata: %v", err)
	}
	return loc
}

// naiveStart walks back from now, second by second in the end, to where the unit began.
func naiveStart(now time.Time, unit string, loc *time.Location) time.Time {
	key := func(at time.Time) any {
		at = at.In(loc)
		year, week := at.ISOWeek()
		switch unit {
		case "day":
			return at.Format(time.DateOnly)
		case "week":
			return [2]int{year, week}
		case "month":
			return at.Format("2006-01")
		case "quarter":
			return [2]int{at.Year(), (int(at.Month()) - 1) / 3}
		}
		return at.Year()
	}
	at := now.Truncate(time.Second)
	for _, step := range []time.Duration{6 * time.Hour, time.Minute, time.Second} {
		for key(at.Add(-step)) == key(now) {
			at = at.Add(-step)
		}
	}
	return at
}

func TestCalendarAgainstWalkingBack(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Paris", "America/Sao_Paulo", "Asia/Beirut", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia"} {
		loc := zone(t, name)
		for _, s := range []string{"2018-11-04T12:00:00Z", "2018-11-05T02:10:00Z", "2026-03-29T05:00:00Z", "2017-11-05T23:30:00Z", "2012-01-02T00:00:00Z", "2024-02-29T23:59:59Z", "2026-01-01T00:00:00Z"} {
			now, _ := time.Parse(time.RFC3339, s)
			for _, unit := range units {
				want := naiveStart(now, unit, loc)
				if got := start(now, unit, 0, loc); !got.Equal(want) {
					t.Fatalf("%s: the %s of %s begins %s, walking back gives %s", name, unit, s, got, want)
				}
				before := naiveStart(want.Add(-time.Second), unit, loc)
				if got := start(now, unit, -1, loc); !got.Equal(before) {
					t.Fatalf("%s: the %s before %s begins %s, walking back gives %s", name, unit, s, got, before)
				}
			}
		}
	}
}

// TestWindows: the edges of every spelling, now in Paris on a Thursday afternoon.
func TestWindows(t *testing.T) {
	loc := zone(t, "Europe/Paris")
	now := time.Date(2026, 1, 15, 14, 30, 0, 0, loc)
	for _, c := range []struct {
		w           weir.Window
		from, until string // the first moment inside, the last second inside
	}{
		{weir.Window{During: "today"}, "2026-01-15T00:00:00", "2026-01-15T14:30:00"},
		{weir.Window{During: "yesterday"}, "2026-01-14T00:00:00", "2026-01-14T23:59:59"},
		{weir.Window{During: "this_week"}, "2026-01-12T00:00:00", "2026-01-15T14:30:00"},
		{weir.Window{During: "this_month"}, "2026-01-01T00:00:00", "2026-01-15T14:30:00"},
		{weir.Window{During: "this_quarter"}, "2026-01-01T00:00:00", "2026-01-15T14:30:00"},
		{weir.Window{During: "this_year"}, "2026-01-01T00:00:00", "2026-01-15T14:30:00"},
		{weir.Window{During: "last_week"}, "2026-01-05T00:00:00", "2026-01-11T23:59:59"},
		{weir.Window{During: "last_quarter"}, "2025-10-01T00:00:00", "2025-12-31T23:59:59"},
		{weir.Window{During: "last 3 days"}, "2026-01-12T00:00:00", "2026-01-14T23:59:59"},
		{weir.Window{During: "last 2 full weeks"}, "2025-12-29T00:00:00", "2026-01-11T23:59:59"},
		{weir.Window{During: "last 14 months"}, "2024-11-01T00:00:00", "2025-12-31T23:59:59"},
		{weir.Window{During: "last 1 year"}, "2025-01-01T00:00:00", "2025-12-31T23:59:59"},
		{weir.Window{Between: []string{"2025-12-01", "2025-12-31"}}, "2025-12-01T00:00:00", "2025-12-31T23:59:59"},
		{weir.Window{Between: []string{"2025-12-01", "2030-12-31"}}, "2025-12-01T00:00:00", "2026-01-15T14:30:00"},
		{weir.Window{Between: []string{"2025-12-01T00:00:00+01:00", "2025-12-01T12:00:00+01:00"}}, "2025-12-01T00:00:00", "2025-12-01T12:00:00"},
		{weir.Window{Within: "2mo"}, "2025-11-15T14:30:01", "2026-01-15T14:30:00"},
		{weir.Window{Between: []string{"1y", "1mo"}}, "2025-01-15T14:30:01", "2025-12-15T14:30:00"},
	} {
		w, err := CompileWindow(0, &c.w, loc)
		if err != nil {
			t.Errorf("%+v: %v", c.w, err)
			continue
		}
		at := func(s string) time.Time {
			out, err := time.ParseInLocation("2006-01-02T15:04:05", s, loc)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		first, last := at(c.from), at(c.until)
		if !w.Holds(first, now) || !w.Holds(last, now) || w.Holds(last.Add(time.Second), now) || w.Holds(first.Add(-time.Second), now) {
			t.Errorf("%+v: the window is %+v, not %s to %s", c.w, w.At(now), c.from, c.until)
		}
	}
}

func TestWindowsRefused(t *testing.T) {
	for _, c := range []struct {
		within time.Duration
		w      *weir.Window
		part   string
	}{
		{-time.Hour, nil, "more than nothing"},
		{101 * 366 * 24 * time.Hour, nil, "longer than 100 years"},
		{time.Hour, &weir.Window{During: "today"}, "one of within, between and during"},
		{0, &weir.Window{}, "one of within, between and during"},
		{0, &weir.Window{Within: "0d"}, "more than nothing"},
		{0, &weir.Window{Within: "10000y"}, "longer than 100 years"},
		{0, &weir.Window{During: "last 10000 years"}, "longer than 100 years"},
		{0, &weir.Window{During: "last 99999999999999999999 days"}, "longer than 100 years"},
		{0, &weir.Window{During: "last 0 days"}, "no calendar window"},
		{0, &weir.Window{During: "next_week"}, "no calendar window"},
		{0, &weir.Window{Between: []string{"30d", "90d"}}, "the longer age first"},
		{0, &weir.Window{Between: []string{"30d"}}, "two ages or two dates"},
		{0, &weir.Window{Between: []string{"2025-01-02", "2025-01-01"}}, "wrong order"},
		{0, &weir.Window{Between: []string{"2025-01-02", "30d"}}, "one of each"},
		{0, &weir.Window{Between: []string{"2025-01-02", "2025-01-03T00:00:00Z"}}, "one of each"},
		{0, &weir.Window{Between: []string{"soon", "later"}}, "no length of time"},
	} {
		if _, err := CompileWindow(c.within, c.w, time.UTC); err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%v %+v: %v, want %q", c.within, c.w, err, c.part)
		}
	}
}
