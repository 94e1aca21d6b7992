package compare_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
)

func TestLevelsOfCompanies(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"Müller & Söhne GmbH", "MULLER UND SOHNE G.m.b.H. & Co. KG", "exact"},
		{"ООО «Ромашка»", "Ромашка", "exact"},
		{"株式会社日立製作所", "日立製作所", "exact"},
		{"Transports Dupont SARL", "Dupont Transports", "other order"},
		{"Acme Logistics Ltd", "Acme", "one word more"},
		{"Dupont Transports", "Transports Dupont Lyon SAS", "one word more"},
		{"Zwingmann Bau GmbH", "Zwingmenn Bau", "near"},
		{"Micro Soft Inc.", "Microsoft Corporation", "near"},
		{"BMW AG", "Bayerische Motoren Werke Aktiengesellschaft", "initials"},
		{"International Business Machines Corp.", "IBM", "initials"},
		{"Müller Bau Nord Hamburg GmbH", "Müller Bau Kiel Süd GmbH", "close"},
		{"Müller Bau Hamburg GmbH", "Müller Bau Kiel GmbH", "words"},
		{"Zimmermann Heizung", "Zimermann Heitzungen", "near"},
		{"Anderson Consulting", "Andersen Consultants", "close"},
		{"Dupont", "Durand", "differ"},
		{"GmbH", "Dupont", "missing"},
		{"", "Dupont", "missing"},
	} {
		if got := level(compare.Company, c.a, c.b); got != c.want {
			t.Errorf("%q, %q: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}

// The levels that speak of words are what sets of words say, for any two texts.
func TestWordsOfCompaniesByTheirDefinition(t *testing.T) {
	name := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"acme", "bau", "nord", "zwing", "delta"}), 1, 4).Draw(t, "words"), " ")
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := name.Draw(t, "a"), name.Draw(t, "b")
		x, y := strings.Fields(a), strings.Fields(b)
		slices.Sort(x)
		slices.Sort(y)
		got := level(compare.Company, a, b)
		if len(x) > len(y) {
			x, y = y, x
		}
		left := slices.Clone(y)
		for _, w := range x {
			if i := slices.Index(left, w); i >= 0 {
				left = slices.Delete(left, i, i+1)
			}
		}
		extra := len(left) - (len(y) - len(x)) // words of the shorter that the longer has not
		switch {
		case a == b:
			if got != "exact" {
				t.Fatalf("%q and itself: %s", a, got)
			}
		case extra == 0 && len(x) == len(y):
			if got != "other order" {
				t.Fatalf("%q, %q: %s", a, b, got)
			}
		case extra == 0 && len(y) == len(x)+1:
			if got != "one word more" {
				t.Fatalf("%q, %q: %s", a, b, got)
			}
		case got == "exact", got == "other order", got == "one word more":
			t.Fatalf("%q, %q: %s", a, b, got)
		}
	})
}

func TestRarestWordOfAName(t *testing.T) {
	count := map[string]float64{"transport": 90, "dupont": 3, "lyon": 40, "martin": 3}
	for _, c := range []struct{ name, want string }{
		{"transport dupont lyon", "dupont"}, {"lyon dupont transport", "dupont"},
		{"martin dupont", "dupont"}, {"dupont martin", "dupont"}, // equal: the first in the alphabet
		{"transport", "transport"}, {"", ""},
	} {
		if got, n := compare.Rarest(c.name, func(w string) float64 { return count[w] }); got != c.want || n != count[c.want] {
			t.Errorf("%q: %q %v, want %q", c.name, got, n, c.want)
		}
	}
}
