package bed_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/test/bench/identity/bed"
)

// crowd is a set of n people, each twice, with names, birth dates and towns.
func crowd(n int) *bed.Set {
	r := rand.New(rand.NewPCG(11, 12))
	word := func(n int) string {
		out := ""
		for range n {
			out += string("bcdfglmnprst"[r.IntN(12)]) + string("aeiou"[r.IntN(5)])
		}
		return out
	}
	var families, givens, towns []string
	for range 700 {
		families, givens, towns = append(families, word(3)), append(givens, word(2)), append(towns, word(4))
	}
	s := &bed.Set{}
	for i := range n {
		given, family := givens[r.IntN(300)], families[r.IntN(700)]
		birth := fmt.Sprintf("19%02d-%02d-%02d", 30+r.IntN(70), 1+r.IntN(12), 1+r.IntN(28))
		for k := range 2 {
			a := map[string]string{"given_name": given, "family_name": family, "birth_date": birth, "city": towns[r.IntN(700)]}
			if k == 1 && r.IntN(3) == 0 {
				a["family_name"] = family[1:]
			}
			s.Records = append(s.Records, weir.Record{ID: fmt.Sprintf("s%d/%07d", k, i), Kind: weir.Person, Source: fmt.Sprint("s", k), Attributes: a,
				Identifiers: weir.Identifiers{"email": {fmt.Sprintf("%s.%s%d@x.fr", given, family, i/3)}}})
			s.Truth = append(s.Truth, int32(i))
		}
	}
	return s
}

// What nobody should send does not stop a run, is not dropped, and does not spoil
// the rest.
func TestBadInput(t *testing.T) {
	const n = 3000
	plain := run(t, crowd(n), bed.Options{})
	given, family := []string{"ana", "bob", "cyd", "dan", "eve"}, []string{"abel", "bloch", "cazin", "dumas", "elias", "faure", "gros"}
	for _, c := range []struct {
		name    string
		largest int // cluster of the bad records
		record  func(i int) map[string]string
	}{
		{"nothing to compare", 1, func(int) map[string]string { return nil }},
		{"only spaces and signs", 1, func(int) map[string]string {
			return map[string]string{"given_name": " ", "family_name": "--", "birth_date": "?", "city": "\t"}
		}},
		{"invalid UTF-8", 1, func(i int) map[string]string {
			return map[string]string{"given_name": "\xff\xfe" + given[i%5], "family_name": family[i%7] + "\xc3", "birth_date": fmt.Sprintf("19%02d-01-\x80", i%97), "city": "\xed\xa0\x80"}
		}},
		{"year 0001", 1, func(i int) map[string]string {
			return map[string]string{"given_name": given[i%5], "family_name": family[i%7], "birth_date": "0001-01-01"}
		}},
		{"year 9999", 1, func(i int) map[string]string {
			return map[string]string{"given_name": given[i%5], "family_name": family[i%7], "birth_date": "9999-12-31"}
		}},
		{"a value of 100,000 characters", 400, func(i int) map[string]string {
			return map[string]string{"family_name": strings.Repeat("a", 100_000), "given_name": given[i%5]}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := crowd(n)
			const bad = 400
			for i := range bad {
				s.Records = append(s.Records, weir.Record{ID: fmt.Sprintf("z/%04d", i), Kind: weir.Person, Source: "z", Attributes: c.record(i), Identifiers: weir.Identifiers{}})
				s.Truth = append(s.Truth, int32(n+i))
			}
			r := run(t, s, bed.Options{})
			rest := r.First(2 * n)
			t.Logf("%s; without: %s", rest, plain.Quality)
			if len(r.Found) != len(s.Records) || rest.F1 < plain.F1-0.03 {
				t.Errorf("%d of %d records, F1 of the others %.4f, without %.4f", len(r.Found), len(s.Records), rest.F1, plain.F1)
			}
			size := map[int32]int{}
			for i, f := range r.Found[2*n:] {
				if size[f]++; size[f] > c.largest || int(f) < 2*n {
					t.Fatalf("bad record %d is with %d", i, f)
				}
			}
		})
	}
}

// 100,000 records with the same value in a blocking key: the block is taken apart,
// what is lost is counted, and another rule still finds them.
func TestBlockOfAll(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 records: not with -short")
	}
	s := crowd(50_000)
	for i := range s.Records {
		s.Records[i].Identifiers = weir.Identifiers{"email": {"everybody@x.fr"}}
	}
	def := weir.IdentityDef{Kind: weir.Person, Model: &weir.ModelDef{Block: [][]string{{"email"}, {"given_name", "birth_date"}}}}
	r := run(t, s, bed.Options{Def: def})
	const all = int64(100_000) * 99_999 / 2
	t.Logf("%s, lost %d of %d pairs", r, r.Lost, all)
	if r.Lost < all*99/100 || r.Lost > all || r.LostBy[0] != r.Lost {
		t.Errorf("lost %d of %d pairs, by rule %v", r.Lost, all, r.LostBy)
	}
	if r.Pairs > 100*len(s.Records) || r.Largest > 8 || r.R < 0.8 {
		t.Errorf("%d pairs compared, %s", r.Pairs, r.Quality)
	}
}

func run(t *testing.T, s *bed.Set, o bed.Options) *bed.Result {
	t.Helper()
	o.Threshold, o.Seed = bed.Default, 3
	r, err := bed.Run(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
