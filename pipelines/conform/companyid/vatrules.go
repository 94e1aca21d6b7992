package companyid

import (
	"strconv"
	"strings"
)

// The rules of each country follow the VIES construction rules unless they name
// another source.

// doubled is Luhn's sum for an even number of places before the check digit.
func doubled(s string) int {
	sum := 0
	for i := range len(s) {
		d := digit(s, i) * (1 + i%2)
		sum += d/10 + d%10
	}
	return sum
}

func checkAT(s string) bool {
	return (10-(doubled(s[1:8])+4)%10)%10 == digit(s, 8)
}

func checkBE(s string) bool {
	last, _ := strconv.Atoi(s[8:])
	return 97-mod(s[:8], 97) == last
}

// checkBG: nine digits are companies' (BULSTAT); ten are those of a person (EGN),
// a foreigner, or another body.
func checkBG(s string) bool {
	if len(s) == 9 {
		r := weigh(s, 1, 2, 3, 4, 5, 6, 7, 8) % 11
		if r == 10 {
			r = weigh(s, 3, 4, 5, 6, 7, 8, 9, 10) % 11
		}
		return r%10 == digit(s, 8)
	}
	last := digit(s, 9)
	month := digit(s, 2)*10 + digit(s, 3)
	day := digit(s, 4)*10 + digit(s, 5)
	born := day >= 1 && day <= 31 && month%20 >= 1 && month%20 <= 12 && month <= 52
	switch {
	case born && weigh(s, 2, 4, 8, 5, 10, 9, 7, 3, 6)%11%10 == last:
		return true
	case weigh(s, 21, 19, 17, 13, 11, 9, 7, 3, 1)%10 == last:
		return true
	}
	return (11-weigh(s, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11)%11 == last
}

// checkCH is that of the UID (eCH-0108).
func checkCH(s string) bool {
	return (11-weigh(s[1:], 5, 4, 3, 2, 7, 6, 5, 4)%11)%11 == digit(s, 9)
}

func checkCY(s string) bool {
	odd := [10]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21}
	sum := 0
	for i := range 8 {
		if d := digit(s, i); i%2 == 0 {
			sum += odd[d]
		} else {
			sum += d
		}
	}
	return s[:2] != "12" && byte(sum%26)+'A' == s[8]
}

// checkCZ: eight digits are companies', nine that begin with 6 special ones, the
// others birth numbers, of which those before 1954 have no check digit.
func checkCZ(s string) bool {
	switch {
	case len(s) == 8:
		r := (11 - weigh(s, 8, 7, 6, 5, 4, 3, 2)%11) % 11
		if r == 0 {
			r = 1
		}
		return s[0] != '9' && r%10 == digit(s, 7)
	case len(s) == 9 && s[0] == '6':
		r := weigh(s[1:], 8, 7, 6, 5, 4, 3, 2) % 11
		return (8-(10-r)%11+10)%10 == digit(s, 8)
	}
	year, month := digit(s, 0)*10+digit(s, 1), digit(s, 2)*10+digit(s, 3)
	day := digit(s, 4)*10 + digit(s, 5)
	month %= 50
	if month > 20 {
		month -= 20
	}
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return false
	}
	if len(s) == 9 {
		return year <= 53
	}
	// By 1985 a rest of 10 was written as 0.
	return mod(s[:9], 11)%10 == digit(s, 9)
}

func checkDK(s string) bool { return weigh(s, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0 }

func checkEE(s string) bool { return weigh(s, 3, 7, 1, 3, 7, 1, 3, 7, 1)%10 == 0 }

func checkEL(s string) bool {
	return weigh(s, 256, 128, 64, 32, 16, 8, 4, 2)%11%10 == digit(s, 8)
}

// checkES: persons (DNI, NIE and K, L, M) have a letter of the number modulo 23,
// companies (CIF) a digit or letter by Luhn, which of both by their first letter.
func checkES(s string) bool {
	const letters = "TRWAGMYFPDXBNJZSQVHLCKE"
	first, last := s[0], s[8]
	switch {
	case first >= '0' && first <= '9':
		return letters[mod(s[:8], 23)] == last
	case first >= 'X':
		return letters[mod(string('0'+first-'X')+s[1:8], 23)] == last
	case first >= 'K' && first <= 'M':
		return letters[mod(s[1:8], 23)] == last
	case first == 'I' || first == 'O' || first == 'T':
		return false
	}
	sum := 0
	for i := 1; i <= 7; i++ {
		d := digit(s, i) * (1 + i%2)
		sum += d/10 + d%10
	}
	r := (10 - sum%10) % 10
	number, letter := last == byte('0'+r), last == "JABCDEFGHI"[r]
	switch {
	case strings.IndexByte("ABEH", first) >= 0:
		return number
	case strings.IndexByte("NPQSW", first) >= 0:
		return letter
	}
	return number || letter
}

func checkFI(s string) bool { return weigh(s, 7, 9, 10, 5, 8, 4, 2, 1)%11 == 0 }

// checkFR: the key of two digits is of the SIREN (which in Monaco begins with 000
// and has no check digit); keys with a letter are of the newer rule.
func checkFR(s string) bool {
	siren := s[2:]
	if siren[:3] != "000" && !luhn(siren) || siren == "000000000" {
		return false
	}
	if isDigits(s) {
		key, _ := strconv.Atoi(s[:2])
		return (12+3*mod(siren, 97))%97 == key
	}
	const alphabet = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	a, b := strings.IndexByte(alphabet, s[0]), strings.IndexByte(alphabet, s[1])
	key := a*34 + b - 100
	if isDigits(s[:1]) {
		key = a*24 + b - 10
	}
	number, _ := strconv.Atoi(siren)
	return (number+1+key/11)%11 == key%11
}

// checkGB is HMRC's: the weighted sum is a multiple of 97, or since 2010 of 97
// after 55 were added. Departments (GD) and health authorities (HA) have no check
// digits.
func checkGB(s string) bool {
	if len(s) == 5 {
		return true
	}
	sum := weigh(s, 8, 7, 6, 5, 4, 3, 2, 10, 1) % 97
	return sum == 0 || s[0] != '0' && (sum == 42 || sum == 55)
}

func checkHU(s string) bool { return weigh(s, 9, 7, 3, 1, 9, 7, 3, 1)%10 == 0 }

// checkIE: in the old form the second place is a letter and the digits are
// rotated; since 2013 a second letter counts nine times.
func checkIE(s string) bool {
	n := s[:7]
	if s[1] < '0' || s[1] > '9' {
		n = "0" + s[2:7] + s[:1]
	}
	sum := weigh(n, 8, 7, 6, 5, 4, 3, 2)
	if len(s) == 9 && s[8] != 'W' {
		sum += 9 * int(s[8]-'A'+1)
	}
	return "WABCDEFGHIJKLMNOPQRSTUV"[sum%23] == s[7]
}

// checkIT: three digits are the office of the province that gave it.
func checkIT(s string) bool {
	office, _ := strconv.Atoi(s[7:10])
	known := office >= 1 && office <= 100 || office == 120 || office == 121 || office == 888 || office == 999
	return known && s[:7] != "0000000" && luhn(s)
}
