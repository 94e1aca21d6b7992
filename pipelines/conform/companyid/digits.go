package companyid

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fault is why a number is unusable. Its text never holds the number.
type Fault string

// Error implements error.
func (f Fault) Error() string { return string(f) }

// compact writes a number in capitals, without what people put between its parts.
// Other characters stay, and make it unusable.
func compact(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r), unicode.Is(unicode.Cf, r), strings.ContainsRune(".,:;/'’_", r):
			return -1
		}
		return unicode.ToUpper(r)
	}, norm.NFKC.String(s))
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func digit(s string, i int) int { return int(s[i] - '0') }

// weigh is the sum of each digit times its weight, from the left.
func weigh(s string, weights ...int) int {
	sum := 0
	for i, w := range weights {
		sum += w * digit(s, i)
	}
	return sum
}

// luhn is the check of ISO/IEC 7812-1 annex B: from the right every second digit
// is doubled, the digits' sum is a multiple of 10.
func luhn(s string) bool {
	sum := 0
	for i := range len(s) {
		d := digit(s, len(s)-1-i)
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// mod is a number of digits modulo m; letters count as two digits, A as 10, as in
// ISO/IEC 7064.
func mod(s string, m int) int {
	rest := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			rest = (rest*100 + int(c-'A') + 10) % m
		} else {
			rest = (rest*10 + int(c-'0')) % m
		}
	}
	return rest
}

// mod11and10 is the hybrid system MOD 11,10 of ISO/IEC 7064, the last digit being
// the check digit.
func mod11and10(s string) bool {
	p := 10
	for i := range len(s) - 1 {
		sum := (p + digit(s, i)) % 10
		if sum == 0 {
			sum = 10
		}
		p = sum * 2 % 11
	}
	return (p+digit(s, len(s)-1))%10 == 1
}
