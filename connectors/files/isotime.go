package files

import "time"

// moment is a time as it is written.
type moment struct {
	year, month, day, hour, minute, second int
	zoned                                  bool // Z follows
}

// isoTime reads the forms that nearly all times are in, 2006-01-02 and that with
// a space or T and 15:04:05, perhaps with a Z: as parseTime does, in a fraction of
// its time. ok is false for any other text, which may still be a time.
func isoTime(b []byte) (m moment, ok bool) {
	n := len(b)
	if n == len("2006-01-02T15:04:05Z") && b[n-1] == 'Z' {
		m.zoned, n = true, n-1
	}
	if n != len("2006-01-02") && n != len("2006-01-02T15:04:05") || b[4] != '-' || b[7] != '-' {
		return m, false
	}
	m.year, m.month, m.day = 100*two(b)+two(b[2:]), two(b[5:]), two(b[8:])
	least := min(two(b), two(b[2:]), m.month-1, m.day-1)
	if n > len("2006-01-02") {
		if b[10] != ' ' && b[10] != 'T' || b[13] != ':' || b[16] != ':' {
			return m, false
		}
		m.hour, m.minute, m.second = two(b[11:]), two(b[14:]), two(b[17:])
		least = min(least, m.hour, m.minute, m.second)
	}
	return m, least >= 0 && m.month <= 12 && m.hour < 24 && m.minute < 60 && m.second < 60 && (m.day <= 28 || m.day <= daysIn(m.year, m.month))
}

// two reads two digits; it is negative where there are none.
func two(b []byte) int {
	tens, ones := b[0]-'0', b[1]-'0'
	if tens > 9 || ones > 9 {
		return -1 << 16
	}
	return int(10*tens + ones)
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// days counts from 1970-01-01 in the proleptic Gregorian calendar (Howard
// Hinnant's days_from_civil, for years from 0 on).
func (m moment) days() int64 {
	y, month := m.year, m.month
	if month <= 2 { // the year begins in March, so that it ends with the leap day
		y, month = y-1, month+12
	}
	y += 400 // not below 0
	yearDay := (153*(month-3)+2)/5 + m.day - 1
	return int64(365*y+y/4-y/100+y/400+yearDay) - 719468 - 146097
}

// micros counts from 1970-01-01T00:00:00Z, of a time in loc if it has no zone.
func (m moment) micros(loc *time.Location) int64 {
	if !m.zoned && loc != time.UTC {
		return time.Date(m.year, time.Month(m.month), m.day, m.hour, m.minute, m.second, 0, loc).UnixMicro()
	}
	return 1_000_000 * (86400*m.days() + int64(3600*m.hour+60*m.minute+m.second))
}
