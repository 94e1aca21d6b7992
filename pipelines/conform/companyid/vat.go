package companyid

import (
	"regexp"
	"strings"
)

const (
	errVATCountry  = Fault("there is no known form of VAT number for this country")
	errVATNoPrefix = Fault("a VAT number needs the country's two letters, or the row's country")
	errVATForm     = Fault("a VAT number has not the form of its country's")
	errVATCheck    = Fault("the check digits of a VAT number are wrong")
)

// scheme is a country's VAT number, without the country's letters.
type scheme struct {
	form  *regexp.Regexp
	check func(body string) bool
}

// alias are letters that stand for a country's canonical ones.
var alias = map[string]string{"GR": "EL"}

// VAT checks a VAT number. Where it has no letters of a country in front it is
// read as one of country (ISO 3166 alpha-2; "": unknown). The canonical form
// begins with the letters that tax offices use: EL for Greece, CHE for
// Switzerland (without MWST, TVA or IVA), XI for Northern Ireland.
func VAT(s, country string) (string, error) {
	s = compact(s)
	if len(s) < 4 {
		return "", errVATForm
	}
	prefix := s[:2]
	if a, ok := alias[prefix]; ok {
		prefix = a
	}
	sch, known := schemes[prefix]
	var fault error = errVATForm
	if known {
		body, err := sch.read(prefix, s[2:])
		if err == nil {
			return prefix + body, nil
		}
		fault = err
	}
	if country = strings.ToUpper(country); country != "" {
		if a, ok := alias[country]; ok {
			country = a
		}
		own, ok := schemes[country]
		if !ok && !known {
			return "", errVATCountry
		}
		if ok && country != prefix {
			body, err := own.read(country, s)
			if err == nil {
				return country + body, nil
			}
			if !known {
				fault = err
			}
		}
	}
	switch {
	case known:
		return "", fault
	case isLetters(prefix): // even where they might be the key of a French number
		return "", errVATCountry
	case country == "":
		return "", errVATNoPrefix
	}
	return "", fault
}

func isLetters(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

// read checks a number without its country's letters and gives it back without
// what some write behind it.
func (s scheme) read(country, body string) (string, error) {
	switch country {
	case "CH":
		for _, tail := range []string{"MWST", "TVA", "IVA", "TPV", "VAT"} {
			if cut, ok := strings.CutSuffix(body, tail); ok {
				body = cut
				break
			}
		}
		body = "E" + strings.TrimPrefix(strings.TrimPrefix(body, "CH"), "E")
	case "NO":
		body = strings.TrimSuffix(body, "MVA")
	case "BE": // written with nine digits until 2005
		if len(body) == 9 {
			body = "0" + body
		}
	}
	switch {
	case !s.form.MatchString(body):
		return "", errVATForm
	case !s.check(body):
		return "", errVATCheck
	}
	return body, nil
}

func rule(form string, check func(string) bool) scheme {
	return scheme{regexp.MustCompile("^(?:" + form + ")$"), check}
}

// unchecked is for numbers whose check digits are not published.
func unchecked(string) bool { return true }

// schemes has the member states of the European Union, its one-stop shop (EU),
// Northern Ireland (XI), the United Kingdom, Switzerland and Norway.
var schemes = map[string]scheme{
	"AT": rule(`U\d{8}`, checkAT),
	"BE": rule(`[01]\d{9}`, checkBE),
	"BG": rule(`\d{9,10}`, checkBG),
	"CH": rule(`E\d{9}`, checkCH),
	"CY": rule(`\d{8}[A-Z]`, checkCY),
	"CZ": rule(`\d{8,10}`, checkCZ),
	"DE": rule(`[1-9]\d{8}`, mod11and10),
	"DK": rule(`[1-9]\d{7}`, checkDK),
	"EE": rule(`\d{9}`, checkEE),
	"EL": rule(`\d{9}`, checkEL),
	"ES": rule(`[A-Z0-9]\d{7}[A-Z0-9]`, checkES),
	"EU": rule(`\d{9}`, unchecked),
	"FI": rule(`\d{8}`, checkFI),
	"FR": rule(`[0-9A-HJ-NP-Z]{2}\d{9}`, checkFR),
	"GB": rule(`\d{9}|\d{12}|GD[0-4]\d{2}|HA[5-9]\d{2}`, checkGB),
	"HR": rule(`\d{11}`, mod11and10),
	"HU": rule(`\d{8}`, checkHU),
	"IE": rule(`\d[0-9A-Z+*]\d{5}[A-W][A-IW]?`, checkIE),
	"IT": rule(`\d{11}`, checkIT),
	"LT": rule(`\d{9}|\d{12}`, checkLT),
	"LU": rule(`\d{8}`, checkLU),
	"LV": rule(`\d{11}`, checkLV),
	"MT": rule(`[1-9]\d{7}`, checkMT),
	"NL": rule(`\d{9}B\d{2}`, checkNL),
	"NO": rule(`\d{9}`, checkNO),
	"PL": rule(`\d{10}`, checkPL),
	"PT": rule(`[1-9]\d{8}`, checkPT),
	"RO": rule(`[1-9]\d{1,9}`, checkRO),
	"SE": rule(`\d{12}`, checkSE),
	"SI": rule(`[1-9]\d{7}`, checkSI),
	"SK": rule(`[1-9]\d[2-47-9]\d{7}`, checkSK),
	"XI": rule(`\d{9}|\d{12}|GD[0-4]\d{2}|HA[5-9]\d{2}`, checkGB),
}
