package standard_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/conform/standard"
)

func TestDomains(t *testing.T) {
	for in, want := range map[string]string{
		"acme.com":                             "acme.com",
		"https://www.Shop.ACME.co.uk/a?b=c@d":  "acme.co.uk",
		"jo.doe@mail.acme.fr":                  "acme.fr",
		"mailto:jo@acme.fr":                    "acme.fr",
		"//acme.fr:8443/x":                     "acme.fr",
		"http://user:secret@acme.com:80/":      "acme.com",
		"www.acme.com.":                        "acme.com",
		"münchen-käse.de":                      "xn--mnchen-kse-x5a4z.de",
		"straße.de":                            "xn--strae-oqa.de", // IDNA2008, not strasse
		"XN--MNCHEN-KSE-X5A4Z.de":              "xn--mnchen-kse-x5a4z.de",
		"例え.jp":                                "xn--r8jz45g.jp",
		"例え。jp":                                "xn--r8jz45g.jp",
		"ａｃｍｅ.com":                             "acme.com",
		"shop.github.io":                       "shop.github.io", // everybody's below github.io
		"github.io":                            "github.io",
		"acme.city.kawasaki.jp":                "city.kawasaki.jp",
		" n/a ":                                "",
		"":                                     "",
		"unknown":                              "",
		"https://acme.com\\evil.example.co.uk": "acme.com",
	} {
		if got, err := standard.Domain(in, nil); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"192.168.1.1":             "a domain is an IP address",
		"http://10.0.0.1:8080/":   "a domain is an IP address",
		"jo@[2001:db8::1]":        "a domain is an IP address",
		"2001:db8::1":             "a domain is an IP address",
		"localhost":               "a domain has no public ending",
		"http://localhost:3000/":  "a domain has no public ending",
		"intranet.acme.corpnet":   "a domain has no public ending",
		"co.uk":                   "a domain is an ending under which others register theirs",
		"com":                     "a domain is an ending under which others register theirs",
		"acme..com":               "a domain cannot be read",
		"-acme-.com":              "a domain cannot be read",
		"ac me.com":               "a domain cannot be read",
		"@":                       "a domain cannot be read",
		"1.2.3":                   "a domain cannot be read",
		"http://":                 "a domain cannot be read",
		"Acme Widgets Ltd (www.)": "a domain cannot be read",
	} {
		if got, err := standard.Domain(in, nil); err == nil || err.Error() != want {
			t.Errorf("%q: %q, %v; want %s", in, got, err, want)
		}
	}
}

func TestDomainOfADomainIsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-Zéß\-]{1,8}(\.[a-zéß]{1,6}){0,3}\.(com|co\.uk|github\.io|kawasaki\.jp|de|corp)`)).Draw(t, "text")
		got, err := standard.Domain(s, nil)
		if err != nil {
			return
		}
		if again, err := standard.Domain(got, nil); err != nil || again != got {
			t.Fatalf("%q becomes %q, then %q, %v", s, got, again, err)
		}
	})
}

func TestCompanysNumbersByName(t *testing.T) {
	c := &standard.Context{Region: "FR", Country: "DE"}
	for _, x := range []struct{ kind, in, want, fault string }{
		{"siren", "552 081 317", "552081317", ""},
		{"parent_siren", "552 081 318", "", "the check digit of a SIREN is wrong"},
		{"siret", "732 829 320 00074", "73282932000074", ""},
		{"vat", "143 454 214", "DE143454214", ""}, // of the row's country
		{"vat_number", "US 12-3456789", "", "there is no known form of VAT number for this country"},
		{"billing_vat", "FR 83 404 833 048", "FR83404833048", ""},
		{"lei", "n/a", "", ""},
		{"web_domain", "https://www.acme.fr", "acme.fr", ""},
		{"domain", "localhost", "", "a domain has no public ending"},
	} {
		got, err := standard.Identifier(x.kind)(x.in, c)
		if fault := standard.Fault(""); err != nil && !errors.As(err, &fault) { // what is not a Fault is not told
			t.Errorf("%s %q: a %T", x.kind, x.in, err)
		}
		if got != x.want || (err == nil) != (x.fault == "") || err != nil && err.Error() != x.fault {
			t.Errorf("%s %q: %q, %v", x.kind, x.in, got, err)
		}
	}
	if got, err := standard.Attribute("company_name", weir.Text)("  Acme   S.A.R.L. ", c); got != "Acme S.A.R.L." || err != nil {
		t.Errorf("the shown name is %q, %v", got, err)
	}
	if got, _ := standard.Attribute("company", weir.Text)("N/A", c); got != "" {
		t.Errorf("a company of no name is %q", got)
	}
}
