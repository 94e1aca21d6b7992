package companyid

import (
	"bufio"
	"errors"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Numbers that their holders or the registers publish.
func TestPublishedNumbers(t *testing.T) {
	for _, c := range []struct{ holder, text, country, want string }{
		{"OMV", "ATU14189108", "", "ATU14189108"},
		{"Anheuser-Busch InBev", "BE 0417.497.106", "", "BE0417497106"},
		{"Proximus, as written until 2005", "BE 202.239.951", "", "BE0202239951"},
		{"Lukoil Bulgaria", "BG121699202", "", "BG121699202"},
		{"Nestlé", "CHE-105.909.036 MWST", "", "CHE105909036"},
		{"Nestlé, without the country", "105.909.036 TVA", "CH", "CHE105909036"},
		{"Škoda Auto", "CZ 00177041", "", "CZ00177041"},
		{"SAP", "DE 143 454 214", "", "DE143454214"},
		{"Siemens", "129274202", "DE", "DE129274202"},
		{"Novo Nordisk", "DK-24 25 67 90", "", "DK24256790"},
		{"Eesti Energia", "EE100366327", "", "EE100366327"},
		{"OTE, by the ISO code", "GR 094019245", "", "EL094019245"},
		{"Telefónica", "ESA28015865", "", "ESA28015865"},
		{"Inditex", "A15075062", "ES", "ESA15075062"},
		{"Nokia", "FI 01120389", "", "FI01120389"},
		{"La Poste", "FR 39 356 000 000", "", "FR39356000000"},
		{"INSEE's example", "83 404 833 048", "FR", "FR83404833048"},
		{"a key with a letter", "FR K7399859412", "", "FRK7399859412"},
		{"Tesco", "GB 220 4302 31", "", "GB220430231"},
		{"a government department", "GBGD001", "", "GBGD001"},
		{"in Northern Ireland", "XI 220430231", "", "XI220430231"},
		{"INA", "HR27759560625", "", "HR27759560625"},
		{"MOL", "HU 10625790", "", "HU10625790"},
		{"Google Ireland", "IE 6388047V", "", "IE6388047V"},
		{"an old number", "IE8D79739I", "", "IE8D79739I"},
		{"Enel", "IT 00811720580", "", "IT00811720580"},
		{"Amazon Europe", "LU 26375245", "", "LU26375245"},
		{"Latvenergo", "LV40003032949", "", "LV40003032949"},
		{"Booking", "NL 8057.34.958.B01", "", "NL805734958B01"},
		{"Equinor", "NO 923 609 016 MVA", "", "NO923609016"},
		{"Orlen", "PL 774-00-01-454", "", "PL7740001454"},
		{"EDP", "PT 500697256", "", "PT500697256"},
		{"OMV Petrom", "RO1590082", "", "RO1590082"},
		{"Volvo", "SE556012579001", "", "SE556012579001"},
		{"Krka", "SI 82646716", "", "SI82646716"},
		{"a seller in the one-stop shop", "EU826010755", "", "EU826010755"},
		{"full-width digits", "ＤＥ１４３４５４２１４", "", "DE143454214"},
	} {
		got, err := VAT(c.text, c.country)
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.holder, got, err, c.want)
		}
		if again, err := VAT(got, ""); again != got {
			t.Errorf("%s: canonical %q becomes %q, %v", c.holder, got, again, err)
		}
	}
}

func TestUnusableVAT(t *testing.T) {
	for _, c := range []struct {
		text, country string
		want          error
	}{
		{"DE143454215", "", errVATCheck},
		{"DE14345421", "", errVATForm},
		{"FR40404833048", "", errVATCheck},
		{"US123456789", "", errVATCountry},
		{"123456789", "US", errVATCountry},
		{"143454214", "", errVATNoPrefix},
		{"ZZ123", "FR", errVATCountry},
		{"US123456789", "FR", errVATCountry},
		{"DE", "", errVATForm},
		{"", "FR", errVATForm},
		{"ATU1418910\x00", "", errVATForm},
		{"CHE105909037", "", errVATCheck},
		{"NL805734958B00", "", errVATCheck},
		{"83404833049", "FR", errVATCheck},
	} {
		if _, err := VAT(c.text, c.country); !errors.Is(err, c.want) {
			t.Errorf("%q in %q: %v, want %v", c.text, c.country, err, c.want)
		}
	}
}

func TestRegisterNumbers(t *testing.T) {
	for _, c := range []struct {
		read             func(string) (string, error)
		holder, in, want string
		fault            error
	}{
		{SIREN, "INSEE's example", "732 829 320", "732829320", nil},
		{SIREN, "EDF", "552 081 317", "552081317", nil},
		{SIREN, "a wrong digit", "552081318", "", errSIRENCheck},
		{SIREN, "zeros", "000000000", "", errSIRENCheck},
		{SIREN, "too short", "55208131", "", errSIREN},
		{SIREN, "a letter", "55208131O", "", errSIREN},
		{SIRET, "INSEE's example", "732 829 320 00074", "73282932000074", nil},
		{SIRET, "La Poste's seat, by Luhn", "356 000 000 00048", "35600000000048", nil},
		{SIRET, "a post office, by the sum of digits", "356 000 000 49837", "35600000049837", nil},
		{SIRET, "a post office, by neither", "35600000049838", "", errSIRETCheck},
		{SIRET, "the sum of digits elsewhere", "73282932000010", "", errSIRETCheck},
		{SIRET, "a wrong SIREN in it", "73282932100074", "", errSIRETCheck},
		{SIRET, "a SIREN", "732829320", "", errSIRET},
		{LEI, "GLEIF", "506700GE1G29325QX363", "506700GE1G29325QX363", nil},
		{LEI, "Apple", "hwupkr0mpou8fgxbt394", "HWUPKR0MPOU8FGXBT394", nil},
		{LEI, "a wrong letter", "HWUPKR0MPOU8FGXBS394", "", errLEICheck},
		{LEI, "check characters that ISO 7064 does not make", "HWUPKR0MPOU8FGXBT200", "", errLEICheck},
		{LEI, "a sign", "HWUPKR0MPOU8FGXB+394", "", errLEI},
	} {
		if got, err := c.read(c.in); got != c.want || !errors.Is(err, c.fault) {
			t.Errorf("%s: %q, %v; want %q, %v", c.holder, got, err, c.want, c.fault)
		}
	}
}

// Another implementation of the same rules is the oracle.
func TestVerdictsOfAnotherTool(t *testing.T) {
	f, err := os.Open("testdata/verdicts.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen := map[string]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		p := strings.Fields(lines.Text())
		if p[0] == "#" {
			continue
		}
		switch p[0] {
		case "SIREN":
			_, err = SIREN(p[1])
		case "SIRET":
			_, err = SIRET(p[1])
		case "LEI":
			_, err = LEI(p[1])
		default:
			_, err = VAT(p[0]+p[1], "")
			seen[p[0]] = true
		}
		if (err == nil) != (p[2] == "1") {
			t.Errorf("%v: %v", p, err)
		}
	}
	for country := range schemes {
		if !seen[country] && country != "EU" && country != "XI" {
			t.Errorf("no verdict on %s", country)
		}
	}
}

// Whatever comes: no panic, and what passes is canonical.
func TestAnyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Z]{2}[A-Z0-9+*]{2,14}`), rapid.StringMatching(`[0-9]{8,14}`)).Draw(t, "text")
		country := rapid.SampledFrom([]string{"", "FR", "GR", "CH", "BE", "NO", "US", "ES"}).Draw(t, "country")
		for _, read := range []func(string) (string, error){SIREN, SIRET, LEI, func(s string) (string, error) { return VAT(s, country) }} {
			got, err := read(s)
			if (err == nil) == (got == "") {
				t.Fatalf("%q: %q, %v", s, got, err)
			}
			if err == nil {
				if again, err := read(got); err != nil || again != got {
					t.Fatalf("%q becomes %q, then %q, %v", s, got, again, err)
				}
			} else if len(s) > 4 && strings.Contains(err.Error(), s) {
				t.Fatalf("the fault %q holds the value", err)
			}
		}
	})
}
