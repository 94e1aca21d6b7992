package standard

import (
	"testing"
	"time"

	"github.com/weir-cdp/weir"
)

var paris = &Context{Region: "FR", Location: mustLoad("Europe/Paris"), Now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}

func mustLoad(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return loc
}

func in(region string) *Context {
	return &Context{Region: region, Location: time.UTC, Now: paris.Now}
}

// bad stands for "unusable" in the tables below.
const bad = "<unusable>"

type example struct {
	raw, want string
	c         *Context
}

func check(t *testing.T, f Func, examples []example) {
	t.Helper()
	for _, e := range examples {
		c := e.c
		if c == nil {
			c = paris
		}
		got, err := f(e.raw, c)
		if err != nil {
			got = bad
		}
		if got != e.want {
			t.Errorf("%q in %s: got %q (%v), want %q", e.raw, c.Region, got, err, e.want)
		}
		if err == nil && got != "" {
			if again, err := f(got, c); err != nil || again != got {
				t.Errorf("%q: its canonical text %q becomes %q, %v", e.raw, got, again, err)
			}
		}
	}
}

func TestDates(t *testing.T) {
	us := in("US")
	check(t, Date, []example{
		{"2024-01-31", "2024-01-31", nil}, {"2024/1/31", "2024-01-31", nil}, {"20240131", "2024-01-31", nil},
		{"31/01/2024", "2024-01-31", nil}, {"31.1.2024", "2024-01-31", in("DE")}, {"31-01-2024", "2024-01-31", nil},
		{"01/31/2024", "2024-01-31", us}, {"1/2/2024", "2024-01-02", us}, {"1/2/2024", "2024-02-01", nil},
		{"1.2.2024", "2024-02-01", us}, {"01/31/2024", bad, nil}, {"31/01/2024", bad, us},
		{"1 January 2024", "2024-01-01", us}, {"January 1st, 2024", "2024-01-01", us}, {"Jan 1 2024", "2024-01-01", us},
		{"1er janvier 2024", "2024-01-01", nil}, {"le 14 juillet 1989", "1989-07-14", nil}, {"3 août 2023", "2023-08-03", nil},
		{"1. März 2024", "2024-03-01", in("DE")}, {"Di, 3. Dez. 2024", "2024-12-03", in("DE")}, {"5 de enero de 2024", "2024-01-05", in("ES")},
		{"2 dicembre 2023", "2023-12-02", in("IT")}, {"mar. 3 déc. 2024", "2024-12-03", nil}, {"12-Dec-09", "2009-12-12", us},
		{"31/12/70", "1970-12-31", nil}, {"31/12/68", "2068-12-31", nil}, {"2024-01-31T22:00:00Z", "2024-01-31", nil},
		{"2024-01-31 00:00:00.000", "2024-01-31", nil}, {"2024年1月31日", "2024-01-31", in("JP")}, {" 2024-01-31 ", "2024-01-31", nil},
		{"2023-02-29", bad, nil}, {"2024-02-29", "2024-02-29", nil}, {"1900-02-29", bad, nil}, {"2024-13-01", bad, nil},
		{"31/04/2024", bad, nil}, {"tomorrow", bad, nil}, {"1/2", bad, nil}, {"12345", bad, nil}, {"January", bad, nil},
		{"32 January 2024", bad, nil}, {"2024-1", bad, nil}, {"hello 1 world 2 2024", bad, nil},
		{"", "", nil}, {"N/A", "", nil}, {"0000-00-00", "", nil}, {"null", "", nil},
	})
}

func TestBirthDates(t *testing.T) {
	check(t, BirthDate, []example{
		{"31/12/68", "1968-12-31", nil}, {"01/02/26", "2026-02-01", nil}, {"01/02/27", "1927-02-01", nil},
		{"2030-01-01", bad, nil}, {"1700-01-01", bad, nil}, {"1950-05-06", "1950-05-06", nil},
	})
}

func TestTimes(t *testing.T) {
	check(t, Time, []example{
		{"2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z", nil},
		{"2024-01-31T10:00:00.123456789+02:00", "2024-01-31T08:00:00.123456Z", nil},
		{"2024-01-31 10:00", "2024-01-31T09:00:00Z", nil}, {"2024-07-01 10:00:00", "2024-07-01T08:00:00Z", nil},
		{"31/01/2024 17h05", "2024-01-31T16:05:00Z", nil}, {"31/01/2024 17:05:06,5", "2024-01-31T16:05:06.5Z", nil},
		{"1/31/2024 5:05 pm", "2024-01-31T17:05:00Z", in("US")}, {"1/31/24 12:00 AM", "2024-01-31T00:00:00Z", in("US")},
		{"12/1/2010 8:26", "2010-12-01T08:26:00Z", in("US")}, {"12/1/2010 8:26", "2010-01-12T08:26:00Z", in("GB")},
		{"Wed, 31 Jan 2024 10:00:00 +0100", "2024-01-31T09:00:00Z", nil},
		{"Wed Jan 31 2024 10:00:00 GMT+0100 (CET)", "2024-01-31T09:00:00Z", nil},
		{"1706695200", "2024-01-31T10:00:00Z", nil}, {"1706695200123", "2024-01-31T10:00:00.123Z", nil},
		{"1706695200.5", "2024-01-31T10:00:00.5Z", nil}, {"1706695200123456", "2024-01-31T10:00:00.123456Z", nil},
		{"20240131T100000Z", "2024-01-31T10:00:00Z", nil}, {"2024-01-31", "2024-01-30T23:00:00Z", nil},
		{"31. Januar 2024 um 10:00 Uhr", "2024-01-31T10:00:00Z", in("DE")},
		{"2024-01-31T10:00:00 Europe/Berlin", "2024-01-31T09:00:00Z", in("US")},
		{"2024-01-31T25:00:00", bad, nil}, {"2024-01-31T10:61", bad, nil}, {"2024-01-31 10:00 XYZ", bad, nil},
		{"10:00", bad, nil}, {"2024-02-30T10:00:00Z", bad, nil}, {"", "", nil}, {"yesterday", bad, nil},
	})
}

func TestNumbers(t *testing.T) {
	us := in("US")
	check(t, Number, []example{
		{"12", "12", nil}, {"-12.50", "-12.5", nil}, {"012", "12", nil}, {"1,234.56", "1234.56", us}, {"1.234,56", "1234.56", nil},
		{"1 234,56", "1234.56", nil}, {"1\u202f234,56 €", "1234.56", nil}, {"$1,234", "1234", us}, {"-$5", "-5", us}, {"1,234", "1.234", nil},
		{"1'234.50", "1234.5", in("CH")}, {"12,5", "12.5", us}, {"1,234,567", "1234567", us}, {"1.234.567", "1234567", nil},
		{"1.234", "1.234", nil}, {".5", "0.5", nil}, {"5.", "5", nil}, {"1e3", "1000", nil}, {"1.5E-2", "0.015", nil}, {"-0", "0", nil},
		{"0.1234567895", "0.12345679", nil}, {"0.0000000005", "0", nil}, {"1e99999", bad, nil}, {"1e38", bad, nil},
		{"12345678901234567890123456789", "12345678901234567890123456789", nil}, {"123456789012345678901234567890", bad, nil},
		{"abc", bad, nil}, {"1,23,4", bad, us}, {"1.2.3", bad, nil}, {"--1", bad, nil}, {"1 2", bad, nil}, {"NaN", "", nil}, {"Inf", bad, nil}, {"", "", nil},
	})
}

func TestPlaces(t *testing.T) {
	check(t, Country, []example{
		{"FR", "FR", nil}, {"fr", "FR", nil}, {"FRA", "FR", nil}, {"250", "FR", nil}, {"France", "FR", nil}, {"Frankreich", "FR", nil},
		{"Allemagne", "DE", nil}, {"Deutschland", "DE", nil}, {"UK", "GB", nil}, {"United Kingdom", "GB", nil}, {"England", "GB", nil},
		{"The Netherlands", "NL", nil}, {"U.S.A.", "US", nil}, {"États-Unis", "US", nil}, {"Côte d’Ivoire", "CI", nil}, {"EIRE", "IE", nil},
		{"004", "AF", nil}, {"4", "AF", nil}, {"Österreich", "AT", nil}, {"Unknown", "", nil}, {"Narnia", bad, nil}, {"XX", bad, nil}, {"", "", nil},
	})
	uk, nl := in("GB"), in("NL")
	check(t, Postcode, []example{
		{"sw1a1aa", "SW1A 1AA", uk}, {"SW1A  1AA", "SW1A 1AA", uk}, {"1234ab", "1234 AB", nl}, {"F-01000", "01000", nil}, {"01000", "01000", nil},
		{"k1a0b1", "K1A 0B1", in("CA")}, {"12345", "123 45", in("SE")}, {"00950", "00-950", in("PL")}, {"123456789", "12345-6789", in("US")},
		{"1000", "1000", nil}, {"SW1A 1AA", "SW1A 1AA", nil}, {"???", bad, nil}, {"1234567890123", bad, nil}, {"-", "", nil},
		{"SW1A1AA", "SW1A 1AA", &Context{Region: "FR", Country: "GB"}},
	})
	check(t, State, []example{
		{"California", "CA", in("US")}, {"ca", "CA", in("US")}, {"US-CA", "CA", nil}, {"Québec", "QC", in("CA")}, {"Bretagne", "Bretagne", nil},
		{"new south wales", "NSW", &Context{Country: "AU"}},
	})
	check(t, Language, []example{{"fr", "fr", nil}, {"fr_FR.UTF-8", "fr-FR", nil}, {"Français", "fr", nil}, {"German", "de", nil}, {"Klingonish", bad, nil}})
}

func TestNamesAndText(t *testing.T) {
	check(t, Name, []example{
		{"  Jean-Luc   PICARD ", "Jean-Luc PICARD", nil}, {"Jose\u0301", "José", nil}, {"O’Brien", "O’Brien", nil}, {"Zo\u00eb\u200b", "Zoë", nil},
		{"12", bad, nil}, {"N/A", "", nil}, {"", "", nil}, {"a\x00b", "ab", nil}, {"\xff", bad, nil},
	})
	check(t, Text, []example{{"a\tb\n", "a b", nil}, {"none", "none", nil}, {"01000", "01000", nil}})
	check(t, Bool, []example{{"Oui", "true", nil}, {"0", "false", nil}, {"", "", nil}, {"maybe", bad, nil}})
	check(t, Gender, []example{{"Mme", "female", nil}, {"M", "male", nil}, {"Männlich", "male", nil}, {"x", "other", nil}, {"", "", nil}, {"purple", bad, nil}})
}

func TestPhonesAcrossRegions(t *testing.T) {
	check(t, Phone, []example{
		{"06 12 34 56 78", "+33612345678", nil}, {"+33 (0)6 12 34 56 78", "+33612345678", nil}, {"0033612345678", "+33612345678", nil},
		{"020 7946 0018", "+442079460018", &Context{Region: "FR", Country: "GB"}}, {"06 12 34", bad, nil}, {"call me", bad, nil}, {"", "", nil},
		{"0612345678", bad, &Context{}},
	})
}

func TestVocabularyChoosesByNameAndType(t *testing.T) {
	for _, e := range []struct {
		name string
		typ  weir.AttributeType
		raw  string
		want string
	}{
		{"email", weir.Text, " A@B.co ", "a@b.co"}, {"country", "", "France", "FR"}, {"birth_date", weir.Date, "01/02/70", "1970-02-01"},
		{"birth_date", weir.Text, "1/2/1970", "1970-02-01"}, {"score", weir.Number, "1,5", "1.5"}, {"joined", weir.Date, "1/2/2020", "2020-02-01"},
		{"seen", weir.Instant, "2020-02-01T00:00:00Z", "2020-02-01T00:00:00Z"}, {"vip", weir.Boolean, "oui", "true"}, {"nickname", weir.Text, " Bob  B ", "Bob B"},
		{"postcode", weir.Number, "01000", "1000"},
	} {
		got, err := Attribute(e.name, e.typ)(e.raw, paris)
		if err != nil || got != e.want {
			t.Errorf("%s (%s) of %q: got %q, %v; want %q", e.name, e.typ, e.raw, got, err, e.want)
		}
	}
	for kind, e := range map[string][2]string{"email": {"A@B.CO", "a@b.co"}, "work_email": {"A@B.CO", "a@b.co"}, "phone": {"0612345678", "+33612345678"}, "crm_id": {" X1 ", "X1"}, "user_id": {"null", ""}} {
		if got, err := Identifier(kind)(e[0], paris); err != nil || got != e[1] {
			t.Errorf("%s of %q: got %q, %v", kind, e[0], got, err)
		}
	}
}

func TestActions(t *testing.T) {
	for raw, want := range map[string]weir.Action{
		"opt-in": weir.Granted, "Subscribed": weir.Granted, "YES": weir.Granted, "true": weir.Granted, "granted": weir.Granted,
		"unsubscribe": weir.Withdrawn, "opt_out": weir.Withdrawn, "Revoked": weir.Withdrawn, "Désabonné": weir.Withdrawn,
		"no": weir.RefusedConsent, "denied": weir.RefusedConsent, "not granted": weir.RefusedConsent, "objection": weir.Objected,
		"do not sell": weir.OptedOut, "restricted": weir.Restricted, "erasure_requested": weir.ErasureRequested,
		"unrestricted": weir.Unrestricted, "GPC": weir.Signal, "withdrawn": weir.Withdrawn, "objected": weir.Objected,
	} {
		if got, ok := Action(raw, "marketing.newsletter"); !ok || got != want {
			t.Errorf("%q: got %q, %t, want %q", raw, got, ok, want)
		}
	}
	if got, _ := Action("opted_out", "sale"); got != weir.OptedOut {
		t.Errorf("opt-out of sale: %q", got)
	}
	for _, raw := range []string{"", "maybe", "granted?no", "pending", "ok"} {
		if a, ok := Action(raw, ""); ok {
			t.Errorf("%q was taken for %q", raw, a)
		}
	}
	for _, a := range []weir.Action{weir.Withdrawn, weir.RefusedConsent, weir.Objected, weir.OptedOut, weir.Signal, weir.Restricted, weir.ErasureRequested} {
		if Widens(a) {
			t.Errorf("%s widens", a)
		}
	}
	check(t, Channel, []example{{"E-Mail", "email", nil}, {"SMS", "sms", nil}, {"All", "", nil}, {"Carrier Pigeon", "carrier_pigeon", nil}})
}

// No text may make a standardiser panic, nor a fault repeat the value.
func FuzzStandardisers(f *testing.F) {
	for _, s := range []string{"31/01/2024 17:05", "1706695200.5", "a@b.co", "\xff", "1er janvier", "Mon", "GMT", "2024-01-31 1+", "1,2.3", "F-", "٣/١/٢٠٢٤", "000A\x19\u0307"} {
		f.Add(s)
	}
	all := []Func{Text, Name, Email, Phone, Date, BirthDate, Time, Number, Bool, Country, Postcode, State, Language, Gender, Token, Channel}
	f.Fuzz(func(t *testing.T, s string) {
		for _, std := range all {
			got, err := std(s, paris)
			if err != nil || got == "" {
				continue
			}
			if again, err := std(got, paris); err != nil || again != got {
				t.Errorf("%q became %q, then %q, %v", s, got, again, err)
			}
		}
	})
}
