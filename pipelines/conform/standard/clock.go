package standard

import (
	"math/big"
	"strings"
	"time"
)

const (
	errTime     = Fault("a time cannot be read")
	errTimeZone = Fault("a time's zone cannot be read")
)

// Layout is the canonical text of an instant: UTC, microseconds at most.
const Layout = "2006-01-02T15:04:05.999999Z07:00"

// Time reads an instant and returns it as RFC 3339 in UTC.
func Time(s string, c *Context) (string, error) {
	t, ok, err := Instant(s, c)
	if err != nil || !ok {
		return "", err
	}
	return t.Format(Layout), nil
}

// Instant reads a date as Date does, with a time of day and a zone: RFC 3339 and
// its relatives, "31/01/2024 17:05", "1/31/24 5:05 pm", RFC 2822, and seconds,
// milliseconds or microseconds since 1970 (told apart by their digits). Without
// a zone the context's Location holds; a date alone is its midnight there. Times
// that a change of clocks skips or repeats are as package time has them. ok is
// false where s says nothing.
func Instant(s string, c *Context) (t time.Time, ok bool, err error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return clip(t)
	}
	s, _ = Text(s, c)
	if s == "" || blank(s) || strings.HasPrefix(s, "0000-00-00") {
		return t, false, nil
	}
	if t, ok := epoch(s); ok {
		return clip(t)
	}
	d, rest, err := parseDay(s, c.Region, nil)
	if err != nil {
		return t, false, err
	}
	clock, loc, err := parseClock(rest, c.location())
	if err != nil {
		return t, false, err
	}
	return clip(time.Date(d.year, time.Month(d.month), d.day, clock.hour, clock.minute, clock.second, clock.nano, loc))
}

// clip brings an instant to UTC and microseconds.
func clip(t time.Time) (time.Time, bool, error) {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, false, errDateNone
	}
	return t, true, nil
}

type clock struct{ hour, minute, second, nano int }

// epoch reads a count since 1970: 9 or 10 digits are seconds (a fraction may
// follow), 12 or 13 milliseconds, 15 or 16 microseconds, 18 or 19 nanoseconds.
func epoch(s string) (time.Time, bool) {
	digits, fraction, dotted := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	for _, part := range []string{digits, fraction} {
		if strings.Trim(part, "0123456789") != "" {
			return time.Time{}, false
		}
	}
	unit := map[int]time.Duration{9: time.Second, 10: time.Second, 12: time.Millisecond, 13: time.Millisecond,
		15: time.Microsecond, 16: time.Microsecond, 18: time.Nanosecond, 19: time.Nanosecond}[len(digits)]
	if unit == 0 || dotted && (fraction == "" || len(fraction) > 9) {
		return time.Time{}, false
	}
	n, ok := new(big.Rat).SetString(s)
	if !ok {
		return time.Time{}, false
	}
	n.Mul(n, new(big.Rat).SetInt64(int64(unit)/int64(time.Nanosecond)))
	nanos := new(big.Int).Quo(n.Num(), n.Denom())
	seconds, rest := new(big.Int).DivMod(nanos, big.NewInt(int64(time.Second)), new(big.Int))
	return time.Unix(seconds.Int64(), rest.Int64()), true
}

// parseClock reads "17:05:01.25 +02:00", "5:05 pm UTC", "17h05"; "" is midnight.
func parseClock(s string, loc *time.Location) (clock, *time.Location, error) {
	var c clock
	s = strings.TrimLeft(s, "Tt ,")
	if s == "" {
		return c, loc, nil
	}
	var ok bool
	if n := len(s) - len(strings.TrimLeft(s, "0123456789")); n == 4 || n == 6 { // 1705, 170501
		compact := s[:2] + ":" + s[2:4]
		if n == 6 {
			compact += ":" + s[4:6]
		}
		s = compact + s[n:]
	}
	if c.hour, s, ok = digits(s, 2); !ok {
		return c, nil, errTime
	}
	for i, part := range []*int{&c.minute, &c.second} {
		if s == "" || !strings.ContainsRune(":hH", rune(s[0])) || i == 1 && s[0] != ':' {
			break
		}
		if *part, s, ok = digits(s[1:], 2); !ok {
			return c, nil, errTime
		}
	}
	if s != "" && (s[0] == '.' || s[0] == ',') {
		n := 1
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		c.nano, s = number((s[1:n] + "000000000")[:9]), s[n:]
	}
	s = strings.TrimSpace(s)
	switch half := strings.ToLower(s[:min(len(s), 2)]); half {
	case "am", "pm":
		if c.hour < 1 || c.hour > 12 {
			return c, nil, errTime
		}
		c.hour %= 12
		if half == "pm" {
			c.hour += 12
		}
		s = strings.TrimSpace(s[2:])
	}
	if c.hour > 23 || c.minute > 59 || c.second > 59 {
		return c, nil, errTime
	}
	loc, err := zone(s, loc)
	return c, loc, err
}

// digits reads one to most digits.
func digits(s string, most int) (int, string, bool) {
	n := 0
	for n < len(s) && n < most && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return number(s[:n]), s[n:], n > 0
}

// zone reads Z, UTC, GMT, ±hh, ±hhmm, ±hh:mm, or a name of the zone database.
// Short names as CET are several zones' and unusable.
func zone(s string, def *time.Location) (*time.Location, error) {
	if i := strings.IndexByte(s, '('); i > 0 { // a comment: "+0200 (CEST)"
		s = s[:i]
	}
	s = strings.Trim(s, " []")
	switch strings.ToUpper(s) {
	case "", "UHR":
		return def, nil
	case "Z", "UTC", "GMT", "UT":
		return time.UTC, nil
	}
	s = strings.TrimPrefix(strings.TrimPrefix(s, "UTC"), "GMT")
	if s[0] == '+' || s[0] == '-' {
		hours, rest, ok := digits(s[1:], 2)
		minutes := 0
		if rest = strings.TrimPrefix(rest, ":"); ok && rest != "" {
			minutes, rest, ok = digits(rest, 2)
		}
		if !ok || rest != "" || hours > 14 || minutes > 59 {
			return nil, errTimeZone
		}
		offset := hours*3600 + minutes*60
		if s[0] == '-' {
			offset = -offset
		}
		return time.FixedZone("", offset), nil
	}
	if strings.ContainsRune(s, '/') {
		if loc, err := time.LoadLocation(s); err == nil {
			return loc, nil
		}
	}
	return nil, errTimeZone
}
