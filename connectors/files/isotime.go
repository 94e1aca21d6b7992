package files

import "time"

// isoTime reads the forms that nearly all times are in, 2006-01-02 and that with
// a space or T and 15:04:05, perhaps with a Z: as parseTime does, in a tenth of
// its time. ok is false for any other text, which may still be a time.
func isoTime(b []byte, loc *time.Location) (t time.Time, ok bool) {
	n := len(b)
	if n == len("2006-01-02T15:04:05Z") && b[n-1] == 'Z' {
		loc, n = time.UTC, n-1
	}
	if n != len("2006-01-02") && n != len("2006-01-02T15:04:05") || b[4] != '-' || b[7] != '-' {
		return t, false
	}
	ok = true
	number := func(at, digits int) (v int) {
		for _, c := range b[at : at+digits] {
			ok = ok && '0' <= c && c <= '9'
			v = 10*v + int(c-'0')
		}
		return v
	}
	year, month, day := number(0, 4), number(5, 2), number(8, 2)
	var hour, minute, second int
	if n > len("2006-01-02") {
		ok = ok && (b[10] == ' ' || b[10] == 'T') && b[13] == ':' && b[16] == ':'
		hour, minute, second = number(11, 2), number(14, 2), number(17, 2)
	}
	if !ok || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	t = time.Date(year, time.Month(month), day, hour, minute, second, 0, loc)
	// Date carries a day that the month does not have over to the next one.
	return t, day <= 28 || time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() == day
}
