package value

import (
	"time"

	"github.com/weir-cdp/weir"
)

// maxAnniversary is how many days ahead or back an anniversary may be sought:
// beyond, every date would have one.
const maxAnniversary = 364

// anniversary compiles {next: Nd} or {last: Nd}.
func (t Test) anniversary(c weir.Comparison, typ weir.AttributeType) (Test, error) {
	if typ != weir.Date && typ != weir.Instant && !t.dynamic {
		return Test{}, weir.Errorf(weir.Invalid, "anniversary needs a date or time, and this is a %s", typ)
	}
	if c.Values[0] != "next" && c.Values[0] != "last" {
		return Test{}, weir.Errorf(weir.Invalid, "an anniversary is next or last, not %q", c.Values[0]).Then("write it like anniversary: {next: 7d}")
	}
	span, err := ParseSpan(c.Values[1])
	if err != nil {
		return Test{}, err
	}
	days := int(span.Fixed / day)
	if span.Months > 0 || span.Fixed%day != 0 || days > maxAnniversary {
		return Test{}, weir.Errorf(weir.Invalid, "an anniversary is sought within whole days, at most %d, not %s", maxAnniversary, c.Values[1]).Then("write it like 7d or 2w")
	}
	t.form, t.days = moment, days
	if c.Values[0] == "last" {
		t.days = -days
	}
	return t, nil
}

// celebrates says whether an anniversary of at lies in the days that the test
// looks at.
func (t Test) celebrates(at, now time.Time) bool {
	year, month, dom := at.In(t.loc).Date()
	y, m, d := now.In(t.loc).Date()
	today := dayNumber(y, m, d)
	from, to := today, today+t.days
	if t.days < 0 {
		from, to = to, from
	}
	for candidate := y - 1; candidate <= y+1; candidate++ {
		kept := min(dom, time.Date(candidate, month+1, 0, 0, 0, 0, 0, time.UTC).Day())
		if n := dayNumber(candidate, month, kept); candidate > year && n >= from && n <= to {
			return true
		}
	}
	return false
}

// Days returns how many calendar days of the time zone lie from one moment to
// another; less than 0 where the other is of an earlier day.
func Days(from, to time.Time, loc *time.Location) int {
	number := func(at time.Time) int { y, m, d := at.In(loc).Date(); return dayNumber(y, m, d) }
	return number(to) - number(from)
}

// dayNumber counts days, whatever the time zone's days are long.
func dayNumber(year int, month time.Month, day int) int {
	return int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}
