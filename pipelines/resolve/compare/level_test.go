package compare_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
)

func level(k compare.Kind, a, b string) string {
	x, y := compare.Prepare(k, a), compare.Prepare(k, b)
	l := compare.Of(k, &x, &y)
	if l == compare.Missing {
		return "missing"
	}
	return compare.Levels(k)[l]
}

func TestLevels(t *testing.T) {
	for _, c := range []struct {
		kind       compare.Kind
		a, b, want string
	}{
		{compare.Name, "Élodie", "ELODIE", "exact"},
		{compare.Name, "García López", "Garcia", "part"},
		{compare.Name, "William", "Bill", "nickname"},
		{compare.Name, "Schmidt", "Schmdit", "near"},
		{compare.Name, "Meyer", "Maier", "phonetic"},
		{compare.Name, "J.", "John", "initial"},
		{compare.Name, "Anna", "Peter", "differ"},
		{compare.Name, "", "Peter", "missing"},
		{compare.Date, "1980-03-12", "19800312", "exact"},
		{compare.Date, "1980-03-12", "1980-12-03", "day and month swapped"},
		{compare.Date, "1980-03-12", "1980-03-21", "one digit"},
		{compare.Date, "1980-03-12", "1986-03-12", "one digit"},
		{compare.Date, "1980-03-12", "1957-03-12", "two parts"},
		{compare.Date, "1980-03-12", "1980-11-25", "within a year"},
		{compare.Date, "1980-03-12", "1985-11-25", "within ten years"},
		{compare.Date, "0001-01-01", "9999-12-31", "differ"},
		{compare.Date, "0000-01-01", "1980-03-12", "missing"},
		{compare.Date, "not a date", "1980-03-12", "missing"},
		{compare.Email, "a.b@x.com", "A.B@x.com", "exact"},
		{compare.Email, "ann.bell@x.com", "ann.bel@x.com", "one edit"},
		{compare.Email, "ann.bell@x.com", "ann.bell@other.org", "local part"},
		{compare.Email, "ann.bell@x.com", "joe@x.com", "differ"},
		{compare.Phone, "+33 6 12 34 56 78", "06 12 34 56 78", "exact"},
		{compare.Phone, "0612345678", "0612345679", "one edit"},
		{compare.Postcode, "SE13 5LE", "se135le", "exact"},
		{compare.Postcode, "75011", "75012", "one edit"},
		{compare.Postcode, "75011", "75029", "sector"},
		{compare.Postcode, "75011", "75920", "district"},
		{compare.Text, "12 rue de la Paix", "12 rue de la paix", "exact"},
		{compare.Text, "12 rue de la Paix", "12 bd de la Paix", "words"},
		{compare.Exact, "C1", "c1", "exact"},
		{compare.Exact, "C1", "C2", "differ"},
		{compare.Number, "12.5", "12.6", "one edit"},
	} {
		if got := level(c.kind, c.a, c.b); got != c.want {
			t.Errorf("%s %q, %q: %s, want %s", c.kind, c.a, c.b, got, c.want)
		}
	}
}

// Comparing is symmetric, gives a level of its kind, and equal values are exact:
// for any bytes.
func TestAnyTwoValues(t *testing.T) {
	value := rapid.OneOf(rapid.StringMatching(`[a-e ]{0,12}`), rapid.String(), rapid.StringMatching(`[0-9]{4}-[01][0-9]-[0-3][0-9]`),
		rapid.StringMatching(`[ab.]{1,6}@[ab]{1,3}\.com`), rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) }))
	rapid.Check(t, func(t *rapid.T) {
		k := compare.Kind(rapid.IntRange(0, len(compare.Kinds())-1).Draw(t, "kind"))
		a, b := compare.Prepare(k, value.Draw(t, "a")), compare.Prepare(k, value.Draw(t, "b"))
		l, back := compare.Of(k, &a, &b), compare.Of(k, &b, &a)
		if l != back {
			t.Fatalf("%s %q, %q: level %d one way, %d the other", k, a.Text, b.Text, l, back)
		}
		if l != compare.Missing && int(l) >= len(compare.Levels(k)) {
			t.Fatalf("%s has no level %d", k, l)
		}
		if same := compare.Of(k, &a, &a); !a.Missing() && same != compare.Agree {
			t.Fatalf("%s %q and itself: level %d", k, a.Text, same)
		}
		if !utf8.ValidString(a.Text) || len(a.Text) > compare.MaxText {
			t.Fatalf("text %q", a.Text)
		}
		again := a
		again.Derive()
		if again != a {
			t.Fatalf("%+v derived anew is %+v", a, again)
		}
	})
}

func TestPhoneticMergesWhatSoundsAlike(t *testing.T) {
	for _, same := range []string{"meyer maier mayer meier", "philip filip phillip", "schmidt schmitt", "thomas tomas", "catherine katherine kathrine", "muller mueller mueler"} {
		names := strings.Fields(same)
		for _, n := range names[1:] {
			if compare.Phonetic(n) != compare.Phonetic(names[0]) {
				t.Errorf("%s is %s, %s is %s", names[0], compare.Phonetic(names[0]), n, compare.Phonetic(n))
			}
		}
	}
	for _, apart := range []string{"martin bernard", "anna peter", "lopez gomez", "smith jones"} {
		n := strings.Fields(apart)
		if compare.Phonetic(n[0]) == compare.Phonetic(n[1]) {
			t.Errorf("%s: both %s", apart, compare.Phonetic(n[0]))
		}
	}
}

func TestNicknamesAreListed(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"william", "bill", true}, {"bill", "william", true}, {"elizabeth", "betty", true}, {"william", "betty", false}, {"x", "bill", false}} {
		if compare.Nickname(c.a, c.b) != c.want {
			t.Errorf("%s, %s: not %v", c.a, c.b, c.want)
		}
	}
}
