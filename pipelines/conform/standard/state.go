package standard

import "strings"

// States whose law or address form is by code: name to code, folded.
var stateNames = map[string]map[string]string{
	"US": table(`AL alabama AK alaska AZ arizona AR arkansas CA california CO colorado CT connecticut DE delaware
		DC districtofcolumbia FL florida GA georgia HI hawaii ID idaho IL illinois IN indiana IA iowa KS kansas KY kentucky
		LA louisiana ME maine MD maryland MA massachusetts MI michigan MN minnesota MS mississippi MO missouri MT montana
		NE nebraska NV nevada NH newhampshire NJ newjersey NM newmexico NY newyork NC northcarolina ND northdakota OH ohio
		OK oklahoma OR oregon PA pennsylvania RI rhodeisland SC southcarolina SD southdakota TN tennessee TX texas UT utah
		VT vermont VA virginia WA washington WV westvirginia WI wisconsin WY wyoming PR puertorico GU guam VI virginislands
		AS americansamoa MP northernmarianaislands`),
	"CA": table(`AB alberta BC britishcolumbia MB manitoba NB newbrunswick NL newfoundlandandlabrador NS novascotia
		NT northwestterritories NU nunavut ON ontario PE princeedwardisland QC quebec SK saskatchewan YT yukon`),
	"AU": table(`NSW newsouthwales VIC victoria QLD queensland WA westernaustralia SA southaustralia TAS tasmania
		ACT australiancapitalterritory NT northernterritory`),
}

func table(pairs string) map[string]string {
	m := map[string]string{}
	f := strings.Fields(pairs)
	for i := 0; i+1 < len(f); i += 2 {
		m[f[i+1]] = f[i]
		m[strings.ToLower(f[i])] = f[i]
	}
	return m
}

// State writes a state of the US, Canada or Australia as its postal code, with or
// without the country in front ("US-CA", "California"), and any other as Text.
func State(s string, c *Context) (string, error) {
	s, _ = Text(s, c)
	if s == "" || blank(s) {
		return "", nil
	}
	country, rest := c.country(), s
	if len(s) > 3 && s[2] == '-' && stateNames[strings.ToUpper(s[:2])] != nil {
		country, rest = strings.ToUpper(s[:2]), s[3:]
	}
	if code := stateNames[country][fold(rest)]; code != "" {
		return code, nil
	}
	return s, nil
}

// Gender reads the usual spellings: female, male, other.
func Gender(s string, _ *Context) (string, error) {
	switch fold(s) {
	case "f", "female", "woman", "w", "femme", "feminin", "weiblich", "frau", "mujer", "femenino", "donna", "femmina", "mrs", "ms", "miss", "mme", "madame", "2":
		return "female", nil
	case "m", "male", "man", "h", "homme", "masculin", "mannlich", "maennlich", "mann", "herr", "hombre", "masculino", "uomo", "maschio", "mr", "monsieur", "1":
		return "male", nil
	case "x", "d", "other", "nonbinary", "nb", "enby", "diverse", "divers", "autre", "otro", "altro", "9":
		return "other", nil
	case "", "u", "0", "unspecified", "notspecified", "notknown", "prefernottosay", "undisclosed":
		return "", nil
	}
	if blank(s) {
		return "", nil
	}
	return "", Fault("a gender cannot be read")
}
