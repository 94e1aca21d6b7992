package project

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
)

// calendarSpan has calendar months or years, whose length differs.
var calendarSpan = regexp.MustCompile(`^(\d{1,6}(s|m|h|d|w|mo|y))+$`)

// within reads a window back from now.
func (r *reader) within(into *time.Duration, w **weir.Window) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode && !span.MatchString(n.Value) && calendarSpan.MatchString(n.Value) {
			if message := spanFault(n.Value); message != "" {
				r.problem(n, "leave it out to mean ever", "%s", message)
			}
			r.window(n, w).Within = n.Value
			return
		}
		r.duration(into)(n)
	}
}

var spanPart = regexp.MustCompile(`(\d{1,6})(s|m|h|d|w|mo|y)`)

// spanFault says what is wrong with a length of time of the right form.
func spanFault(s string) string {
	const hour = 1.0 / 24
	days := map[string]float64{"s": hour / 3600, "m": hour / 60, "h": hour, "d": 1, "w": 7, "mo": 30, "y": 365}
	total := 0.0
	for _, m := range spanPart.FindAllStringSubmatch(s, -1) {
		n, _ := strconv.Atoi(m[1]) // digits, few enough
		total += float64(n) * days[m[2]]
	}
	switch {
	case total == 0:
		return strconv.Quote(s) + " is no time at all"
	case total > 36525:
		return strconv.Quote(s) + " is longer than a hundred years"
	}
	return ""
}

// window returns the window to fill, a new one.
func (r *reader) window(n *yaml.Node, into **weir.Window) *weir.Window {
	if *into != nil {
		r.problem(n, "keep one of them", "two windows")
	}
	*into = &weir.Window{}
	return *into
}

var calendarWindow = regexp.MustCompile(`^(today|yesterday|(this|last)_(week|month|quarter|year)|last +\d+( +full)? +(day|week|month|quarter|year)s?)$`)

// during reads a window of the calendar.
func (r *reader) during(n *yaml.Node, into **weir.Window) {
	var s string
	r.text(&s)(n)
	if !calendarWindow.MatchString(s) {
		r.problem(n, "write today, yesterday, this_month, last_week or last 4 weeks", "%q is no calendar window", s)
	}
	r.window(n, into).During = s
}

// between reads two ages or two dates.
func (r *reader) between(n *yaml.Node, into **weir.Window) {
	r.ends(n, into, r.comparison("between", n).Values)
}

// ends notes the ends of a window: two ages, the longer first, or two dates or times.
func (r *reader) ends(n *yaml.Node, into **weir.Window, values []string) {
	r.window(n, into).Between = values
	if len(values) != 2 {
		return // told already
	}
	kinds := [2]string{}
	for i, v := range values {
		_, isDate := time.Parse(time.DateOnly, v)
		_, isTime := time.Parse(time.RFC3339, v)
		switch {
		case calendarSpan.MatchString(v):
			kinds[i] = "age"
			if message := spanFault(v); message != "" {
				r.problem(n, "", "%s", message)
			}
		case isDate == nil:
			kinds[i] = "date"
		case isTime == nil:
			kinds[i] = "time"
		default:
			r.problem(n, "write [90d, 30d] or [2026-01-01, 2026-01-31]", "%q is neither an age nor a date", v)
			return
		}
	}
	if kinds[0] != kinds[1] {
		r.problem(n, "write [90d, 30d] or [2026-01-01, 2026-01-31]", "between takes two ages or two dates, not one of each")
	} else if kinds[0] == "date" && values[0] > values[1] {
		r.problem(n, "", "between has its ends in the wrong order: %s", strings.Join(values, ", "))
	}
}
