package standard

import (
	"strings"
	"time"
)

const (
	errDate       = Fault("a date cannot be read")
	errDateNone   = Fault("there is no such day")
	errBirthLate  = Fault("a birth date lies in the future")
	errBirthEarly = Fault("a birth date lies before 1850")
)

// monthFirst are the regions that write the month before the day; all others
// write the day first. A year of four digits in front is always followed by the
// month, and dates with points always have the day first.
var monthFirst = set("US AS GU MP PR VI UM FM MH PW PH BZ")

// pivot: two-digit years below it are of this century (POSIX).
const pivot = 69

// day is a calendar day that exists.
type day struct{ year, month, day int }

func (d day) String() string {
	return time.Date(d.year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

func (d day) check() error {
	if d.year < 1 || d.year > 9999 || d.month < 1 || d.month > 12 || d.day < 1 || d.day > daysIn(d.year, d.month) {
		return errDateNone
	}
	return nil
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// Date reads a calendar day and returns it as 2006-01-02. It knows ISO 8601 with
// any separator and without (20240131), numeric dates in the region's order
// (31/01/2024; 01/31/2024 where monthFirst), and months by name in English,
// French, German, Spanish and Italian. A time of day that follows is left out.
// The order of day and month is never guessed from the numbers: a day that does
// not exist in the region's order is unusable, since its neighbours would be
// misread silently. Two-digit years are those from 1969 to 2068.
func Date(s string, c *Context) (string, error) {
	d, text, err := readDay(s, c, nil)
	if err != nil || text == "" {
		return "", err
	}
	if isISODay(text) {
		return text, nil
	}
	return d.String(), nil
}

// BirthDate is Date where two-digit years are the latest that are not after the
// run's now, and a day after it or before 1850 is unusable.
func BirthDate(s string, c *Context) (string, error) {
	century := func(yy int) int { return yy + 1900 }
	if !c.Now.IsZero() {
		this := c.Now.Year()
		century = func(yy int) int {
			if y := this - this%100 + yy; y <= this {
				return y
			}
			return this - this%100 + yy - 100
		}
	}
	d, text, err := readDay(s, c, century)
	switch {
	case err != nil || text == "":
		return "", err
	case d.year < 1850:
		return "", errBirthEarly
	case !c.Now.IsZero() && d.String() > c.Now.UTC().AddDate(0, 0, 1).Format(time.DateOnly): // a day ahead in the farthest zones
		return "", errBirthLate
	}
	return d.String(), nil
}

// readDay parses; text is "" where s says nothing.
func readDay(s string, c *Context, century func(int) int) (d day, text string, err error) {
	if isISODay(s) && s != "0000-00-00" {
		d = day{number(s[:4]), number(s[5:7]), number(s[8:10])}
		return d, s, d.check()
	}
	s, _ = Text(s, c)
	if s == "" || blank(s) || strings.HasPrefix(s, "0000-00-00") {
		return d, "", nil
	}
	d, _, err = parseDay(s, c.Region, century)
	return d, s, err
}

func isISODay(s string) bool {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return false
	}
	for i := 0; i < 10; i++ {
		if i != 4 && i != 7 && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// parseDay reads the date at the start of s and returns what follows it.
func parseDay(s, region string, century func(int) int) (day, string, error) {
	if century == nil {
		century = func(yy int) int {
			if yy < pivot {
				return 2000 + yy
			}
			return 1900 + yy
		}
	}
	words, rest := dateWords(s)
	var numbers []token
	month := 0
	for _, w := range words {
		switch {
		case w.digits:
			numbers = append(numbers, w)
		case monthOf(w.text) != 0:
			if month != 0 && !maybeWeekday(w.text) && !weekdayBefore(words) {
				return day{}, "", errDate
			}
			month = monthOf(w.text)
		}
	}
	d, err := order(numbers, month, region, century)
	if err != nil {
		return day{}, "", err
	}
	return d, rest, d.check()
}

// order says which of a date's numbers is what.
func order(n []token, month int, region string, century func(int) int) (day, error) {
	year := func(t token) int {
		if len(t.text) == 2 {
			return century(number(t.text))
		}
		return number(t.text)
	}
	fits := func(t token) bool { return len(t.text) == 4 || len(t.text) == 2 }
	small := func(t token) bool { return len(t.text) <= 2 }
	switch {
	case month != 0 && len(n) == 2:
		switch a, b := n[0], n[1]; {
		case len(a.text) == 4 && small(b): // 2024 Jan 31
			return day{year(a), month, number(b.text)}, nil
		case small(a) && fits(b):
			return day{year(b), month, number(a.text)}, nil
		}
	case month == 0 && len(n) == 1 && len(n[0].text) == 8: // 20240131
		t := n[0].text
		return day{number(t[:4]), number(t[4:6]), number(t[6:])}, nil
	case month == 0 && len(n) == 3:
		switch a, b, c := n[0], n[1], n[2]; {
		case len(a.text) == 4 && small(b) && small(c):
			return day{year(a), number(b.text), number(c.text)}, nil
		case small(a) && small(b) && fits(c):
			if monthFirst[region] && b.before != '.' {
				return day{year(c), number(a.text), number(b.text)}, nil
			}
			return day{year(c), number(b.text), number(a.text)}, nil
		}
	}
	return day{}, errDate
}

func number(digits string) int {
	n := 0
	for i := 0; i < len(digits) && i < 9; i++ {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}
