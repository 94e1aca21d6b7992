package standard

import (
	"strings"
	"unicode"

	"github.com/shopspring/decimal"
)

const (
	errNumber     = Fault("a number cannot be read")
	errNumberSize = Fault("a number has more than 29 digits before the point")
)

// The lake's numbers are decimal(38,9).
const (
	maxScale   = 9
	maxDigits  = 38
	maxWritten = 80 // characters of a number's text
)

// decimalComma are the regions that write 1,5 for one and a half.
var decimalComma = set("AD AL AM AO AR AT AZ BA BE BG BO BR BY CL CM CO CR CU CV CY CZ DE DK DZ EC EE ES FI FO FR GE GL GR HR HU ID IS IT KG KZ LT LU LV MA MC MD ME MK MZ NL NO PL PT PY RO RS RU SE SI SK SM SN TN TR UA UY VE VN XK ZA")

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// Number reads a decimal number and returns it plain: no exponent, no group
// signs, no trailing zeros. Groups and decimal sign are told apart by their
// form: "1,234.5", "1.234,5", "1 234,5", "1'234.5". A single point is the decimal
// point. A single comma is the decimal sign, except before three digits in a
// region that writes decimals with a point. A currency sign before or after is
// dropped. More than nine decimals are rounded half to even.
func Number(s string, c *Context) (string, error) {
	if isCanonicalInt(s) {
		return s, nil
	}
	s = strings.TrimSpace(s)
	if s == "" || blank(s) {
		return "", nil
	}
	if len(s) > maxWritten {
		return "", errNumber
	}
	plain, ok := ungroup(s, decimalComma[c.Region])
	if !ok {
		return "", errNumber
	}
	d, err := decimal.NewFromString(plain)
	if err != nil || d.Exponent() > maxDigits || d.Exponent() < -2*maxWritten {
		return "", errNumber
	}
	return Decimal(d)
}

// Decimal returns a decimal's canonical text.
func Decimal(d decimal.Decimal) (string, error) {
	if d.Exponent() > maxDigits {
		return "", errNumberSize
	}
	if d.Exponent() < -maxScale {
		d = d.RoundBank(maxScale)
	}
	t := d.String()
	if strings.ContainsRune(t, '.') {
		t = strings.TrimRight(strings.TrimRight(t, "0"), ".")
	}
	digits, _, _ := strings.Cut(strings.TrimPrefix(t, "-"), ".")
	if len(digits) > maxDigits-maxScale {
		return "", errNumberSize
	}
	if t == "-0" {
		t = "0"
	}
	return t, nil
}

func isCanonicalInt(s string) bool {
	if s == "" || len(s) > 18 || s[0] == '0' && len(s) > 1 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// ungroup drops signs of currency and groups and makes the decimal sign a point.
func ungroup(s string, comma bool) (string, bool) {
	s = strings.TrimFunc(s, func(r rune) bool { return unicode.Is(unicode.Sc, r) || unicode.IsSpace(r) })
	sign := ""
	switch {
	case strings.HasPrefix(s, "-"):
		sign, s = "-", s[1:]
	case strings.HasPrefix(s, "\u2212"):
		sign, s = "-", strings.TrimPrefix(s, "\u2212")
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	s = strings.TrimLeftFunc(s, func(r rune) bool { return unicode.Is(unicode.Sc, r) || unicode.IsSpace(r) })
	mantissa, exponent := s, ""
	if i := strings.IndexAny(s, "eE"); i > 0 {
		mantissa, exponent = s[:i], s[i:]
		if len(exponent) > 4 {
			return "", false
		}
	}
	point, ok := decimalSign(mantissa, comma)
	if !ok {
		return "", false
	}
	whole, fraction := mantissa, ""
	if point >= 0 {
		whole, fraction = mantissa[:point], mantissa[point+1:]
		if strings.ContainsFunc(fraction, func(r rune) bool { return r < '0' || r > '9' }) {
			return "", false
		}
	}
	whole, ok = ungroupWhole(whole)
	if !ok || whole == "" && fraction == "" {
		return "", false
	}
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + whole + fraction + exponent, true
}

// decimalSign finds the index of the decimal sign; -1: none.
func decimalSign(s string, comma bool) (int, bool) {
	dots, commas := strings.Count(s, "."), strings.Count(s, ",")
	lastDot, lastComma := strings.LastIndexByte(s, '.'), strings.LastIndexByte(s, ',')
	switch {
	case dots > 1 && commas > 1:
		return 0, false
	case dots > 0 && commas > 0 && lastDot > lastComma:
		return lastDot, dots == 1
	case dots > 0 && commas > 0:
		return lastComma, commas == 1
	case dots == 1:
		return lastDot, true
	case commas == 1 && (comma || len(s)-lastComma-1 != 3 || lastComma == 0 || lastComma > 3):
		return lastComma, true
	}
	return -1, true
}

// ungroupWhole drops the group signs of a whole number; groups are of three.
func ungroupWhole(s string) (string, bool) {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		return s, true
	}
	groups := strings.FieldsFunc(s, func(r rune) bool {
		return r == '.' || r == ',' || r == '\'' || r == '\u2019' || r == '_' || unicode.IsSpace(r)
	})
	for i, g := range groups {
		if strings.ContainsFunc(g, func(r rune) bool { return r < '0' || r > '9' }) ||
			i > 0 && len(g) != 3 || i == 0 && len(g) > 3 {
			return "", false
		}
	}
	return strings.Join(groups, ""), len(groups) > 0
}

// Bool reads yes and no in the usual spellings and languages.
func Bool(s string, _ *Context) (string, error) {
	switch fold(s) {
	case "":
		return "", nil
	case "true", "t", "yes", "y", "1", "on", "oui", "o", "vrai", "ja", "j", "wahr", "si", "s", "verdadero", "vero", "x":
		return "true", nil
	case "false", "f", "no", "n", "0", "off", "non", "faux", "nein", "falsch", "falso":
		return "false", nil
	}
	if blank(s) {
		return "", nil
	}
	return "", Fault("a yes or no cannot be read")
}
