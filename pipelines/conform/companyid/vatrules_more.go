package companyid

// checkLT: the digit before the check digit is 1, of legal and of temporary
// registrations.
func checkLT(s string) bool {
	n := len(s) - 1
	if s[n-1] != '1' {
		return false
	}
	first, second := 0, 0
	for i := range n {
		first += (1 + i%9) * digit(s, i)
		second += (1 + (i+2)%9) * digit(s, i)
	}
	r := first % 11
	if r == 10 {
		r = second % 11
	}
	return r%10 == digit(s, n)
}

func checkLU(s string) bool { return mod(s[:6], 89) == mod(s[6:], 100) }

// checkLV: numbers that begin with 4 or more are companies'; others are personal
// codes, since 2017 beginning with 32 and without a check digit.
func checkLV(s string) bool {
	switch {
	case s[0] > '3':
		return weigh(s, 9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1)%11 == 3
	case s[:2] == "32":
		return true
	}
	day, month := digit(s, 0)*10+digit(s, 1), digit(s, 2)*10+digit(s, 3)
	if day < 1 || day > 31 || month < 1 || month > 12 || s[6] > '2' {
		return false
	}
	return (1+weigh(s, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9))%11%10 == digit(s, 10)
}

func checkMT(s string) bool { return weigh(s, 3, 4, 6, 7, 8, 9, 10, 1)%37 == 0 }

// checkNL: legal bodies and those registered before 2020 have the check of the
// RSIN, sole traders since then modulo 97 over the whole (Belastingdienst,
// btw-identificatienummer).
func checkNL(s string) bool {
	if s[10:] == "00" || s[:9] == "000000000" {
		return false
	}
	return weigh(s, 9, 8, 7, 6, 5, 4, 3, 2, -1)%11 == 0 || mod("NL"+s, 97) == 1
}

func checkNO(s string) bool { return weigh(s, 3, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0 }

func checkPL(s string) bool {
	return weigh(s, 6, 5, 7, 2, 3, 4, 5, 6, 7, -1)%11 == 0 && s != "0000000000"
}

func checkPT(s string) bool {
	return (11-weigh(s, 9, 8, 7, 6, 5, 4, 3, 2)%11)%11%10 == digit(s, 8)
}

func checkRO(s string) bool {
	n := ("000000000" + s)[len(s)-1:]
	return 10*weigh(n, 7, 5, 3, 2, 1, 7, 5, 3, 2)%11%10 == digit(n, 9)
}

// checkSE: an organisation's number and two digits that count its registrations.
func checkSE(s string) bool { return luhn(s[:10]) && s[10:] >= "01" && s[10:] <= "94" }

func checkSI(s string) bool {
	r := 11 - weigh(s, 8, 7, 6, 5, 4, 3, 2)%11
	return r != 11 && r%10 == digit(s, 7)
}

func checkSK(s string) bool { return mod(s, 11) == 0 }
