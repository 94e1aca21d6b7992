package companyid

const (
	errSIREN      = Fault("a SIREN has nine digits")
	errSIRENCheck = Fault("the check digit of a SIREN is wrong")
	errSIRET      = Fault("a SIRET has fourteen digits")
	errSIRETCheck = Fault("the check digit of a SIRET is wrong")
	errLEI        = Fault("an LEI has eighteen letters and digits and two digits")
	errLEICheck   = Fault("the check digits of an LEI are wrong")
)

// SIREN checks the number that the French register Sirene gives a company: nine
// digits by Luhn.
func SIREN(s string) (string, error) {
	s = compact(s)
	switch {
	case len(s) != 9 || !isDigits(s):
		return "", errSIREN
	case !luhn(s) || s == "000000000":
		return "", errSIRENCheck
	}
	return s, nil
}

// laPoste is the SIREN of La Poste, which has more establishments than Luhn has
// numbers.
const laPoste = "356000000"

// SIRET checks the number that Sirene gives an establishment: the company's SIREN
// and five digits, the whole by Luhn. For establishments of La Poste it is also
// enough that the sum of the digits is a multiple of 5.
func SIRET(s string) (string, error) {
	s = compact(s)
	switch {
	case len(s) != 14 || !isDigits(s):
		return "", errSIRET
	case !luhn(s[:9]) || s[:9] == "000000000":
		return "", errSIRETCheck
	case luhn(s):
		return s, nil
	case s[:9] == laPoste && weigh(s, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)%5 == 0:
		return s, nil
	}
	return "", errSIRETCheck
}

// LEI checks a Legal Entity Identifier (ISO 17442-1): 20 characters, of which the
// last two make the whole 1 modulo 97.
func LEI(s string) (string, error) {
	s = compact(s)
	if len(s) != 20 || !isDigits(s[18:]) {
		return "", errLEI
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return "", errLEI
		}
	}
	if check := s[18:]; mod(s, 97) != 1 || check == "00" || check == "01" || check == "99" {
		return "", errLEICheck
	}
	return s, nil
}
