package timeline

import (
	"strconv"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// units of the calendar. Weeks begin on Monday (ISO 8601).
var units = []string{"day", "week", "month", "quarter", "year"}

// maxUnits bounds "last N …" to 100 years.
var maxUnits = map[string]int{"day": 36525, "week": 5218, "month": 1200, "quarter": 400, "year": 100}

// Calendars lists the spellings of a calendar window.
func Calendars() []string {
	return []string{"today", "yesterday", "this_week", "this_month", "this_quarter", "this_year",
		"last_week", "last_month", "last_quarter", "last_year", "last N days (weeks, months, quarters, years)"}
}

// during compiles a calendar window: the current unit up to now, or the last n
// full units before it.
func during(s string, loc *time.Location) (func(time.Time) Bounds, error) {
	n, unit, ok := readCalendar(s)
	if !ok {
		return nil, weir.Errorf(weir.Invalid, "%q is no calendar window", s).Then("write one of " + strings.Join(Calendars(), ", "))
	}
	if n > maxUnits[unit] {
		return nil, weir.Errorf(weir.Invalid, "%q is longer than 100 years", s).Then("leave it out to mean ever")
	}
	return func(now time.Time) Bounds {
		if n == 0 {
			return Bounds{start(now, unit, 0, loc), now.Add(tick)}
		}
		return Bounds{start(now, unit, -n, loc), start(now, unit, 0, loc)}
	}, nil
}

// readCalendar returns how many full units, 0 for the current one.
func readCalendar(s string) (n int, unit string, ok bool) {
	switch s {
	case "today":
		return 0, "day", true
	case "yesterday":
		return 1, "day", true
	}
	for _, u := range units[1:] {
		switch s {
		case "this_" + u:
			return 0, u, true
		case "last_" + u:
			return 1, u, true
		}
	}
	words := strings.Fields(s)
	if len(words) == 4 && words[2] == "full" { // last 4 full weeks
		words = []string{words[0], words[1], words[3]}
	}
	if len(words) != 3 || words[0] != "last" || strings.Trim(words[1], "0123456789") != "" {
		return 0, "", false
	}
	n, err := strconv.Atoi(words[1])
	if err != nil { // so many digits
		n = 1 << 30
	}
	for _, u := range units {
		if words[2] == u || words[2] == u+"s" {
			return n, u, n > 0
		}
	}
	return 0, "", false
}

// start returns the first moment of the unit that holds now, moved by n units.
func start(now time.Time, unit string, n int, loc *time.Location) time.Time {
	year, month, day := now.In(loc).Date()
	switch unit {
	case "day":
		day += n
	case "week":
		weekday := (int(now.In(loc).Weekday()) + 6) % 7 // Monday is 0
		day += 7*n - weekday
	case "month":
		month, day = month+time.Month(n), 1
	case "quarter":
		month, day = month-(month-1)%3+time.Month(3*n), 1
	default:
		year, month, day = year+n, 1, 1
	}
	return dawn(year, month, day, loc)
}

// dawn returns the first moment of a day: also of one that a change of the
// clocks leaves without midnight, or gives two of them.
func dawn(year int, month time.Month, day int, loc *time.Location) time.Time {
	t := time.Date(year, month, day, 0, 0, 0, 0, loc)
	begin, end := t.ZoneBounds()
	wanted := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	y, m, d := t.Date()
	if !end.IsZero() && time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Before(wanted) {
		return end // no midnight: the day begins with the new clocks
	}
	if begin.IsZero() {
		return t
	}
	if t.Hour() != 0 || t.Minute() != 0 {
		return begin
	}
	_, before := begin.Add(-tick).Zone()
	if first := wanted.Add(-time.Duration(before) * time.Second); first.Before(begin) {
		return first.In(loc)
	}
	return t
}
