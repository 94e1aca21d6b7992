package value_test

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

func number(t *testing.T, s string) value.Number {
	t.Helper()
	n, ok := value.ParseNumber(s)
	if !ok {
		t.Fatalf("%q is no number", s)
	}
	return n
}

func TestNumberText(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "-0.5": "-0.5", "12.50": "12.5", "100": "100", "0.000000001": "0.000000001",
		"0.0000000001": "0.0000000001", "12345678901": "12345678901", "99999999999999999999999999999": "99999999999999999999999999999",
		"9223372036.854775807": "9223372036.854775807", "-9223372036.854775808": "-9223372036.854775808",
	} {
		if got := number(t, in).String(); got != want {
			t.Errorf("%s reads as %s, want %s", in, got, want)
		}
	}
	for _, in := range []string{"", "-", ".5", "5.", "+1", "1e5", "01", "1,000", "0x10", "NaN", " 1", "1.2.3", strings.Repeat("9", 30), "0." + strings.Repeat("1", 90)} {
		if n, ok := value.ParseNumber(in); ok {
			t.Errorf("%q is taken for the number %s", in, n)
		}
	}
}

// TestNumberArithmetic compares sums, order and division with rationals, around
// the edge between the two forms.
func TestNumberArithmetic(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	draw := func() string {
		whole := []string{"0", "1", "7", "9223372036", "9223372037", "4611686018", "99999999999999"}[r.IntN(7)]
		sign := []string{"", "-"}[r.IntN(2)]
		frac := []string{"", ".5", ".854775807", ".854775808", ".000000001", ".0000000005", ".25"}[r.IntN(7)]
		return sign + whole + frac
	}
	for range 20_000 {
		a, b := draw(), draw()
		ra, _ := new(big.Rat).SetString(a)
		rb, _ := new(big.Rat).SetString(b)
		na, nb := number(t, a), number(t, b)
		if na.Compare(nb) != ra.Cmp(rb) {
			t.Fatalf("%s against %s: %d", a, b, na.Compare(nb))
		}
		sum, _ := new(big.Rat).SetString(na.Add(nb).String())
		if want := new(big.Rat).Add(ra, rb); sum.Cmp(want) != 0 {
			t.Fatalf("%s + %s = %s", a, b, sum.FloatString(12))
		}
		k := int64(1 + r.IntN(9))
		over, _ := new(big.Rat).SetString(na.Over(k).String())
		want, _ := new(big.Rat).SetString(new(big.Rat).Quo(ra, big.NewRat(k, 1)).FloatString(9))
		if over.Cmp(want) != 0 {
			t.Fatalf("%s / %d = %s, want %s", a, k, over.FloatString(12), want.FloatString(12))
		}
		stored, _ := na.Stored()
		if got, _ := new(big.Rat).SetString(stored.String()); got.FloatString(9) != ra.FloatString(9) {
			t.Fatalf("%s is stored as %s", a, stored)
		}
	}
	if _, ok := number(t, strings.Repeat("9", 29)).Add(value.Whole(1)).Stored(); ok {
		t.Error("30 digits fit decimal(38,9)")
	}
}

func TestSpan(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skipf("no time zones on this machine, install tzdata: %v", err)
	}
	now := time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC)
	for in, want := range map[string]string{
		"30d": "2028-01-30T12:00:00Z", "2w": "2028-02-15T12:00:00Z", "36h": "2028-02-28T00:00:00Z", "1y": "2027-02-28T12:00:00Z",
		"18y": "2010-02-28T12:00:00Z", "4y": "2024-02-29T12:00:00Z", "3mo": "2027-11-29T12:00:00Z", "1y1d": "2027-02-27T12:00:00Z",
		"6mo":      "2027-08-29T11:00:00Z", // summer time: the same hour in Paris
		"720h0m0s": "2028-01-30T12:00:00Z",
	} {
		s, err := value.ParseSpan(in)
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		if got := s.Before(now, paris).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s before: %s, want %s", in, got, want)
		}
	}
	for _, in := range []string{"", "30", "d", "0d", "-3d", "3 days", "3D", "101y", "10000y", "40000d", "999999999999999999d", "1201mo", "99999999999y"} {
		if _, err := value.ParseSpan(in); weir.CodeOf(err) != weir.Invalid {
			t.Errorf("%q is taken for a span (%v)", in, err)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, c := range []struct {
		typ    weir.AttributeType
		op     string
		values []string
		part   string
	}{
		{weir.Number, "equals", []string{"1"}, "no operator"},
		{weir.Number, "at_least", []string{"many"}, "no number"},
		{weir.Number, "older_than", []string{"3d"}, "needs a date or time"},
		{weir.Number, "between", []string{"1"}, "two values"},
		{weir.Number, "between", []string{"10", "9"}, "wrong order"},
		{weir.Number, "is", nil, "one value"},
		{weir.Text, "in", nil, "at least one"},
		{weir.Text, "at_least", []string{"1000"}, "letters"},
		{weir.Text, "less_than", []string{"2001-01-01"}, "letters"},
		{weir.Date, "is", []string{"2025-02-30"}, "no date"},
		{weir.Date, "is", []string{"2025-02-03T00:00:00Z"}, "no date"},
		{weir.Instant, "newer_than", []string{"soon"}, "length of time"},
		{weir.Boolean, "is", []string{"yes"}, "no boolean"},
		{weir.Boolean, "more_than", []string{"true"}, "no meaning"},
		{weir.Text, "exists", []string{"maybe"}, "true or false"},
	} {
		_, err := value.Compile(weir.Comparison{Op: c.op, Values: c.values}, c.typ, time.UTC)
		if weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s %s %v: %v", c.typ, c.op, c.values, err)
		}
	}
}

// TestAge: of age on the birthday in the workspace's zone, not before.
func TestAge(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skipf("no time zones on this machine, install tzdata: %v", err)
	}
	of, err := value.Compile(weir.Comparison{Op: "older_than", Values: []string{"18y"}}, weir.Date, paris)
	if err != nil {
		t.Fatal(err)
	}
	for now, want := range map[string]bool{
		"2026-05-09T21:59:59Z": false, // 23:59:59 in Paris, the day before
		"2026-05-09T22:00:01Z": true,
	} {
		at, _ := time.Parse(time.RFC3339, now)
		if got := of.Holds(value.Read("2008-05-10", weir.Date, paris), at); got != want {
			t.Errorf("at %s: of age %v", now, got)
		}
	}
}
