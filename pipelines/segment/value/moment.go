package value

import (
	"time"

	"github.com/weir-cdp/weir"
)

// ParseMoment reads a date (its first moment in loc) or an RFC 3339 time.
func ParseMoment(s string, loc *time.Location) (at time.Time, date, ok bool) {
	if len(s) == len(time.DateOnly) {
		at, err := time.ParseInLocation(time.DateOnly, s, loc)
		return at, true, err == nil
	}
	if len(s) < len("2006-01-02T15:04:05Z") || len(s) > 40 || s[4] != '-' {
		return time.Time{}, false, false
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	return at, false, err == nil
}

// Span is a length of time back from a moment: calendar years and months, and a
// fixed rest.
type Span struct {
	Months int
	Fixed  time.Duration
}

const (
	day       = 24 * time.Hour
	maxMonths = 100 * 12
	// MaxWindow is the longest window that a definition may ask for: 100 years.
	MaxWindow = 36525 * day
)

// ParseSpan reads "30d", "18y", "6mo", "2w", "36h", "90m", "45s" and their
// chains ("1y6mo"). It refuses nothing and less, and more than 100 years.
func ParseSpan(s string) (Span, error) {
	bad := func() (Span, error) {
		return Span{}, weir.Errorf(weir.Invalid, "%q is no length of time", s).
			Then("write a number and a unit: s, m, h, d, w, mo or y, as in 30d or 18y")
	}
	if s == "" {
		return bad()
	}
	var out Span
	for rest := s; rest != ""; {
		n, i := int64(0), 0
		for ; i < len(rest) && rest[i] >= '0' && rest[i] <= '9' && i < 12; i++ {
			n = n*10 + int64(rest[i]-'0')
		}
		j := i
		for j < len(rest) && rest[j] >= 'a' && rest[j] <= 'z' {
			j++
		}
		if i == 0 || !out.add(n, rest[i:j]) {
			return bad()
		}
		rest = rest[j:]
	}
	if out.Months <= 0 && out.Fixed <= 0 {
		return Span{}, weir.Errorf(weir.Invalid, "a length of time must be more than nothing, not %q", s)
	}
	if out.Months > maxMonths || out.Fixed > MaxWindow {
		return Span{}, tooLong(s)
	}
	return out, nil
}

func tooLong(s string) error {
	return weir.Errorf(weir.Invalid, "%s is longer than 100 years", s).Then("leave the limit out to mean ever")
}

// add adds n units; what would overflow becomes too long instead.
func (s *Span) add(n int64, name string) bool {
	length, fixed := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": day, "w": 7 * day}[name]
	switch {
	case fixed:
		n = min(n, int64(MaxWindow/length)+1)
		s.Fixed = min(s.Fixed+time.Duration(n)*length, MaxWindow+1)
	case name == "mo":
		s.Months = int(min(int64(s.Months)+n, maxMonths+1))
	case name == "y":
		s.Months = int(min(int64(s.Months)+min(n, 1000)*12, maxMonths+1))
	default:
		return false
	}
	return true
}

// Before returns the moment that lies the span before t. Years and months
// follow loc's calendar; a day that the month lacks becomes its last day.
func (s Span) Before(t time.Time, loc *time.Location) time.Time {
	if s.Months > 0 {
		local := t.In(loc)
		year, month, dom := local.Date()
		first := time.Date(year, month-time.Month(s.Months), 1, 0, 0, 0, 0, loc)
		last := time.Date(first.Year(), first.Month()+1, 0, 0, 0, 0, 0, loc).Day()
		t = time.Date(first.Year(), first.Month(), min(dom, last),
			local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), loc)
	}
	return t.Add(-s.Fixed)
}

// Longest and Shortest bound the span's length, whatever months it meets.
func (s Span) Longest() time.Duration { return time.Duration(s.Months)*31*day + s.Fixed }

// Shortest is at most the span's length.
func (s Span) Shortest() time.Duration { return time.Duration(s.Months)*28*day + s.Fixed }
