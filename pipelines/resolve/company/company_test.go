package company

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	for want, names := range map[string][]string{
		"acme":                 {"Acme", "ACME Ltd", "Acme, Inc.", "acme S.A.R.L.", "Acme S. à r.l.", "ACME GmbH & Co. KG", "Acme Pty. Ltd.", "Acme (Pty) Ltd", "Acme A/S", "Acme K.K.", "Acme Sp. z o.o.", "Acme spol. s r.o.", "Acme S.A. de C.V.", "Acme S. de R.L. de C.V.", "SARL Acme", "Oy Acme Ab", "ООО «Acme»", "Acme AB (publ)", "PT Acme Tbk", "Acme Sdn. Bhd.", "Acme Co., Ltd.", "S.C. Acme S.R.L.", "Acme A.Ş.", "株式会社Acme", "Acme Limited Liability Company", "The Acme Company", "Acme GmbH und Co. KG", "Acme Unipessoal, Lda.", "Acme d.o.o.", "Acme OÜ", "UAB \"Acme\"", "㈱Acme"},
		"smith sons":           {"Smith & Sons", "Smith and Sons Ltd.", "SMITH + SONS LIMITED", "Smith Sons"},
		"muller sohn":          {"Müller & Sohn GmbH", "Muller und Sohn"},
		"oneill freres":        {"O'Neill et Frères S.A.", "O’Neill Frères"},
		"jp morgan":            {"J.P. Morgan", "J. P. Morgan & Co.", "JP Morgan Inc"},
		"procter gamble":       {"The Procter & Gamble Company", "Procter and Gamble"},
		"tiffany":              {"Tiffany & Co.", "Tiffany and Company"},
		"3m":                   {"3M Company", "3M"},
		"romashka":             {"ООО Romashka", "OOO Romashka"},
		"ромашка":              {"ООО «Ромашка»", "«РОМАШКА» ООО", "Общество с ограниченной ответственностью \"Ромашка\""},
		"トヨタ自動車":               {"トヨタ自動車株式会社", "株式会社トヨタ自動車", "㈱トヨタ自動車"},
		"ガス":                   {"株式会社ガス"}, // not カス: the mark is a sound
		"阿里巴巴":                 {"阿里巴巴有限公司", "阿里巴巴股份有限公司"},
		"삼성전자":                 {"삼성전자 주식회사", "(주)삼성전자"},
		"sas institute":        {"SAS Institute Inc."},
		"bt":                   {"BT plc"},
		"e corp holdings":      {"E Corp Holdings"},
		"and so on":            {"And So On Ltd"},
		"strasse 12":           {"Straße 12 KG"},
		"societe generale":     {"Société Générale S.A."},
		"handelsgesellschaft":  {"Handelsgesellschaft mbH"},
		"coca cola":            {"The Coca-Cola Company", "Coca Cola Co"},
		"vodafone deutschland": {"Vodafone Deutschland GmbH"},
		"":                     {"", "GmbH", "S.A.", "GmbH & Co. KG", "Sp. z o.o.", "Co., Ltd.", "  -  ", "株式会社", "&", "Pty Ltd", "S.A. de C.V.", "\xff\xfe"},
	} {
		for _, n := range names {
			if got := Fold(n); got != want {
				t.Errorf("%q folds to %q, want %q", n, got, want)
			}
		}
	}
}

func TestDifferentCompaniesStayApart(t *testing.T) {
	for _, pair := range [][2]string{
		{"Acme France SAS", "Acme Deutschland GmbH"}, {"Vitamin E Shop", "Vitamin Shop"}, {"3M", "3N"},
		{"Hamilton Ltd", "Milton Ltd"}, {"AB Volvo Penta", "Volvo AB"}, {"Banco Sol SA", "Banco Luna SA"},
	} {
		if a, b := Fold(pair[0]), Fold(pair[1]); a == b {
			t.Errorf("%q and %q fold to %q", pair[0], pair[1], a)
		}
	}
}

func TestSplit(t *testing.T) {
	for name, want := range map[string]struct {
		core  string
		forms []string
	}{
		"Acme GmbH & Co. KG":  {"acme", []string{"gmbh", "co", "kg"}},
		"S.C. Acme S.R.L.":    {"acme", []string{"sc", "srl"}},
		"株式会社アクメ":             {"アクメ", []string{"株式会社"}},
		"Acme":                {"acme", nil},
		"Acme S.A. de C.V.":   {"acme", []string{"sa de cv"}},
		"OAO Acme":            {"acme", []string{"oao"}},
		"Gesellschaft m.b.H.": {"gesellschaft", []string{"mbh"}},
	} {
		core, forms := Split(name)
		if name == "Gesellschaft m.b.H." { // the long form in full
			want.core, want.forms = "", []string{"gesellschaft mbh"}
		}
		if core != want.core || !slices.Equal(forms, want.forms) {
			t.Errorf("%q: %q %q, want %q %q", name, core, forms, want.core, want.forms)
		}
	}
}

// A name in any case, with any legal form in any spelling, and any punctuation
// between its words folds to the name.
func TestFormsAndSpellingChangeNothing(t *testing.T) {
	var all []string
	for f := range after {
		all = append(all, f)
	}
	slices.Sort(all)
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[b-df-hj-np-tv-z]{2}[aeou][b-df-hj-np-tv-z]{3}`).Filter(func(w string) bool { return Fold(w) == w }), 1, 4).Draw(t, "words")
		want := strings.Join(words, " ")
		form := rapid.SampledFrom(all).Draw(t, "form")
		if rapid.Bool().Draw(t, "dots") && len(form) <= 4 && !strings.Contains(form, " ") {
			form = strings.Join(strings.Split(form, ""), ".") + "."
		}
		name := strings.Join(words, rapid.SampledFrom([]string{" ", "-", ", ", " & ", "  ", "/"}).Draw(t, "between")) +
			rapid.SampledFrom([]string{" ", ", ", " ("}).Draw(t, "before the form") + form
		if rapid.Bool().Draw(t, "capitals") {
			name = strings.ToUpper(name)
		}
		if got := Fold(name); got != want {
			t.Fatalf("%q folds to %q, want %q", name, got, want)
		}
	})
}

func TestAnyTextFolds(t *testing.T) {
	if got := Fold("ᲀ"); got != "в" {
		t.Errorf("a letter whose capital has another small letter folds to %q", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		got := Fold(s)
		if got != strings.Join(strings.Fields(got), " ") || strings.ContainsFunc(got, unicode.IsUpper) && strings.ToLower(got) != got {
			t.Fatalf("%q folds to %q", s, got)
		}
		// U+0345 is a mark whose capital is a letter: the only one.
		if got != Fold(strings.ToUpper(s)) && strings.EqualFold(strings.ToUpper(s), s) && !strings.ContainsRune(s, '\u0345') {
			t.Fatalf("%q folds otherwise in capitals: %q, %q", s, got, Fold(strings.ToUpper(s)))
		}
	})
}
