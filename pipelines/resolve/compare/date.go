package compare

// packDate reads 2006-01-02 or 20060102 (what follows is not looked at) as
// year<<9 | month<<5 | day; 0 where it is no date. Years are 1 to 9999. Month
// and day are not checked against the calendar beyond 1 to 12 and 1 to 31: a
// mistyped date is still evidence.
func packDate(s string) int32 {
	var y, m, d int32
	switch {
	case len(s) >= 10 && s[4] == '-' && s[7] == '-':
		y, m, d = number(s[:4]), number(s[5:7]), number(s[8:10])
	case len(s) == 8:
		y, m, d = number(s[:4]), number(s[4:6]), number(s[6:8])
	default:
		return 0
	}
	if y < 1 || m < 1 || m > 12 || d < 1 || d > 31 {
		return 0
	}
	return y<<9 | m<<5 | d
}

func number(s string) int32 {
	var n int32
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = n*10 + int32(s[i]-'0')
	}
	return n
}

func parts(n int32) (y, m, d int32) { return n >> 9, n >> 5 & 15, n & 31 }

func digitsOfDate(n int32) string {
	y, m, d := parts(n)
	b := [8]byte{digit(y / 1000), digit(y / 100), digit(y / 10), digit(y), digit(m / 10), digit(m), digit(d / 10), digit(d)}
	return string(b[:])
}

func digit(n int32) byte { return byte('0' + n%10) }

func dateLevel(a, b *Value) Level {
	if a.Num == b.Num {
		return DateExact
	}
	ay, am, ad := parts(a.Num)
	by, bm, bd := parts(b.Num)
	if ay == by && am == bd && ad == bm {
		return DateSwapped
	}
	if slips(a.Text, b.Text) {
		return DateSlip
	}
	same := 0
	if ay == by {
		same++
	}
	if am == bm {
		same++
	}
	if ad == bd {
		same++
	}
	apart := (ay-by)*372 + (am-bm)*31 + ad - bd // in days of a calendar of equal months
	if apart < 0 {
		apart = -apart
	}
	switch {
	case same == 2:
		return DateParts
	case apart < 372 || ay == by:
		return DateYear
	case apart < 3720:
		return DateDecade
	}
	return DateDiffer
}

// slips says that two texts of eight digits differ in one digit, or in two
// neighbours that are exchanged.
func slips(a, b string) bool {
	if len(a) != 8 || len(b) != 8 {
		return false
	}
	first, n := -1, 0
	for i := range 8 {
		if a[i] != b[i] {
			if n++; n > 2 {
				return false
			}
			if first < 0 {
				first = i
			}
		}
	}
	return n == 1 || first < 7 && a[first] == b[first+1] && a[first+1] == b[first] && a[first+1] != b[first+1]
}
