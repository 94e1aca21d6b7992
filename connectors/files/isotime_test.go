package files

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

// What the fast reader takes, the general one takes, too, and as the same moment.
func TestIsoTimeAgreesWithTheGeneralReader(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, year := range []string{"0000", "0001", "1900", "2000", "2023", "2024", "9999"} {
		for month := 0; month <= 13; month++ {
			for _, day := range []int{0, 1, 28, 29, 30, 31, 32} {
				texts = append(texts, fmt.Sprintf("%s-%02d-%02d", year, month, day))
			}
		}
	}
	for _, clock := range []string{"00:00:00", "02:30:00", "23:59:59", "24:00:00", "12:60:00", "12:00:60", "1a:00:00", "12-00:00"} {
		for _, day := range []string{"2024-03-31", "2024-10-27", "2023-02-29"} { // clocks change in Paris on the first two
			texts = append(texts, day+" "+clock, day+"T"+clock, day+"T"+clock+"Z", day+" "+clock+"Z", day+"_"+clock)
		}
	}
	texts = append(texts, "", "2024", "20240101XX", "2024/01/01", "2024-01-0x", "2024-01-01T00:00:00z", "+024-01-01")
	took := 0
	for _, loc := range []*time.Location{time.UTC, paris} {
		for _, s := range texts {
			want, valid := parseTime(s, loc)
			m, ok := isoTime([]byte(s))
			got := time.UnixMicro(m.micros(loc))
			if ok {
				took++
			}
			if day := want.UTC().Truncate(24 * time.Hour); ok && loc == time.UTC && m.days() != day.Unix()/86400 {
				t.Errorf("%q is day %d, want %d", s, m.days(), day.Unix()/86400)
			}
			if ok && (!valid || !got.Equal(want)) {
				t.Errorf("%q in %s is %v; the general reader: %v %v", s, loc, got, want, valid)
			}
			if !ok && valid && s != "" {
				t.Errorf("%q is left to the general reader", s)
			}
		}
	}
	if took == 0 {
		t.Error("nothing was read")
	}
}

func TestDecimalsAreExact(t *testing.T) {
	parse := decimalParser(38, 2)
	for _, s := range []string{"0", "-0", "1", "-1", "+7.5", "12.30", ".5", "5.", "000.10", "9999999999999999.99", "-9999999999999999.99",
		"10000000000000000.00", "-12.3", "-.5", "0.01", "-0.01", "007", "9999999999999999", "-99999999999999999999.99", strings.Repeat("9", 36) + ".99"} {
		n, ok := parse([]byte(s))
		if !ok {
			t.Errorf("%q is refused", s)
			continue
		}
		want, ok := new(big.Rat).SetString(strings.TrimSuffix(s, "."))
		if !ok {
			t.Fatal(s)
		}
		want.Mul(want, big.NewRat(100, 1))
		if got := n.BigInt(); want.Num().Cmp(got) != 0 || !want.IsInt() {
			t.Errorf("%q is read as %s hundredths", s, got)
		}
	}
}
