package standard

import (
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

const (
	errCountry  = Fault("there is no such country")
	errLanguage = Fault("there is no such language")
	errPostcode = Fault("a postcode has no letter or digit, or is too long")
)

// countryAliases are names that CLDR does not list, folded.
var countryAliases = map[string]string{
	"uk": "GB", "greatbritain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northernireland": "GB", "britain": "GB",
	"angleterre": "GB", "ecosse": "GB", "grossbritannien": "GB", "granbretagne": "GB", "grandebretagne": "GB",
	"unitedkingdomofgreatbritainandnorthernireland": "GB",
	"usa": "US", "us": "US", "unitedstatesofamerica": "US", "america": "US", "etatsunisdamerique": "US", "vereinigtestaatenvonamerika": "US", "usofa": "US",
	"holland": "NL", "thenetherlands": "NL", "hollande": "NL", "lespaysbas": "NL",
	"czechrepublic": "CZ", "republiquetcheque": "CZ", "tschechischerepublik": "CZ",
	"southkorea": "KR", "korea": "KR", "republicofkorea": "KR", "coreedusud": "KR", "northkorea": "KP",
	"russianfederation": "RU", "vietnam": "VN", "ivorycoast": "CI", "turkey": "TR", "turquie": "TR", "macedonia": "MK",
	"swaziland": "SZ", "burma": "MM", "capeverde": "CV", "eire": "IE", "republicofireland": "IE", "brd": "DE",
	"bundesrepublikdeutschland": "DE", "federalrepublicofgermany": "DE", "uae": "AE", "hongkong": "HK", "macau": "MO",
	"taiwan": "TW", "palestine": "PS", "vatican": "VA", "suisse": "CH", "schweiz": "CH", "svizzera": "CH",
}

var countries = sync.OnceValue(func() map[string]string {
	names := map[string]string{}
	namers := []display.Namer{}
	for _, l := range []language.Tag{language.English, language.French, language.German, language.Spanish, language.Italian, language.Dutch, language.Portuguese} {
		namers = append(namers, display.Regions(l))
	}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			region, err := language.ParseRegion(string(a) + string(b))
			if err != nil || !region.IsCountry() || region.Canonicalize() != region || region.String() == "ZZ" {
				continue
			}
			code := region.String()
			if namers[0].Name(region) == "" {
				continue // a country that is no more
			}
			for _, n := range namers {
				if name := fold(n.Name(region)); name != "" {
					names[name] = code
				}
			}
			names[strings.ToLower(region.ISO3())] = code
			names[strings.ToLower(code)] = code
		}
	}
	for name, code := range countryAliases {
		names[name] = code
	}
	return names
})

// Country reads a country's ISO 3166 code (two or three letters, or numeric) or
// its name in English, French, German, Spanish, Italian, Dutch or Portuguese, and
// returns the two-letter code.
func Country(s string, _ *Context) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && countries()[strings.ToLower(s)] == s {
		return s, nil
	}
	key := fold(s)
	if code := countries()[key]; code != "" {
		return code, nil
	}
	if code := countries()[strings.TrimPrefix(key, "the")]; code != "" {
		return code, nil
	}
	if blank(s) || key == "" || key == "zz" {
		return "", nil
	}
	if len(key) <= 3 && strings.Trim(key, "0123456789") == "" {
		if region, err := language.ParseRegion(("000" + key)[len(key):]); err == nil && region.IsCountry() {
			return region.Canonicalize().String(), nil
		}
	}
	return "", errCountry
}

var languages = sync.OnceValue(func() map[string]string {
	names := map[string]string{}
	namers := []display.Namer{display.Languages(language.English), display.Languages(language.French),
		display.Languages(language.German), display.Self}
	for _, code := range strings.Fields("ar bg bn ca cs da de el en es et eu fa fi fr ga gl he hi hr hu id is it ja ko lt lv mk ms mt nl no nb nn pl pt ro ru sk sl sq sr sv sw ta th tr uk ur vi zh") {
		tag := language.MustParse(code)
		for _, n := range namers {
			if name := fold(n.Name(tag)); name != "" {
				names[name] = code
			}
		}
	}
	return names
})

// Language reads a BCP 47 tag ("fr", "fr-CA", "fr_CA") or a language's name and
// returns the tag.
func Language(s string, _ *Context) (string, error) {
	s = strings.TrimSpace(s)
	if blank(s) {
		return "", nil
	}
	if code := languages()[fold(s)]; code != "" {
		return code, nil
	}
	s, _, _ = strings.Cut(s, ".") // fr_FR.UTF-8
	tag, err := language.Parse(strings.ReplaceAll(s, "_", "-"))
	if err != nil || tag == language.Und {
		return "", errLanguage
	}
	return tag.String(), nil
}

// Postcode writes a postcode as its country does: upper case, the usual space or
// hyphen, no country prefix ("F-75001"). Zeros in front stay. A form that the
// country's rule does not fit is kept as written: the country may be wrong.
func Postcode(s string, c *Context) (string, error) {
	s, _ = Text(s, c)
	if s == "" || blank(s) {
		return "", nil
	}
	s = strings.ToUpper(s)
	if i := strings.IndexByte(s, '-'); i >= 1 && i <= 2 && strings.Trim(s[:i], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && digitsOnly(strings.ReplaceAll(s[i+1:], " ", "")) {
		s = s[i+1:]
	}
	bare := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
	if bare == "" || len(bare) > 12 {
		return "", errPostcode
	}
	if f, ok := postcodeForms[c.country()]; ok {
		if form := f.write(bare); form != "" {
			return form, nil
		}
	}
	return s, nil
}

// form is a country's postcode: A a letter, 9 a digit, others as they are.
type form []string

var postcodeForms = map[string]form{
	"GB": {"A9 9AA", "A99 9AA", "AA9 9AA", "AA99 9AA", "A9A 9AA", "AA9A 9AA"},
	"NL": {"9999 AA"}, "CA": {"A9A 9A9"}, "IE": {"A99 ****", "A9A ****"}, "MT": {"AAA 9999"},
	"SE": {"999 99"}, "CZ": {"999 99"}, "SK": {"999 99"}, "GR": {"999 99"},
	"PL": {"99-999"}, "PT": {"9999-999", "9999"}, "BR": {"99999-999"}, "JP": {"999-9999"},
	"US": {"99999", "99999-9999"}, "FR": {"99999"}, "DE": {"99999"}, "IT": {"99999"}, "ES": {"99999"},
	"BE": {"9999"}, "CH": {"9999"}, "AT": {"9999"}, "DK": {"9999"}, "NO": {"9999"}, "LU": {"9999"}, "FI": {"99999"},
}

// write returns bare in the first form that fits, or "".
func (f form) write(bare string) string {
next:
	for _, pattern := range f {
		var b strings.Builder
		i := 0
		for _, p := range pattern {
			if p == ' ' || p == '-' {
				b.WriteRune(p)
				continue
			}
			if i == len(bare) {
				continue next
			}
			c := bare[i]
			if p == 'A' && (c < 'A' || c > 'Z') || p == '9' && (c < '0' || c > '9') {
				continue next
			}
			b.WriteByte(c)
			i++
		}
		if i == len(bare) {
			return b.String()
		}
	}
	return ""
}

func digitsOnly(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
