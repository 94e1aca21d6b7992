package sorting_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir/pipelines/resolve/sorting"
)

func TestHashed(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	type thing struct{ hash, n uint64 }
	compare := func(a, b thing) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.n, b.n)) }
	for name, hash := range map[string]func() uint64{
		"even": r.Uint64, "of few values": func() uint64 { return r.Uint64N(3) << 62 }, "small": func() uint64 { return r.Uint64N(50) },
		"the ends": func() uint64 { return -r.Uint64N(2) }, "one": func() uint64 { return 1 << 40 },
	} {
		for _, n := range []int{0, 1, 127, 128, 1000, 40_000} {
			xs := make([]thing, n)
			for i := range xs {
				xs[i] = thing{hash(), r.Uint64N(10)}
			}
			want := slices.Clone(xs)
			slices.SortFunc(want, compare)
			if got := sorting.Hashed(xs, func(x *thing) uint64 { return x.hash }, compare); !slices.Equal(got, want) {
				t.Errorf("%d hashes, %s: not in order", n, name)
			}
		}
	}
}

// Texts that begin alike, end in zeros, are equal or empty come in the order of their
// bytes.
func TestTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	letters := func(n int, of string) string {
		var b strings.Builder
		for range n {
			b.WriteByte(of[r.IntN(len(of))])
		}
		return b.String()
	}
	for name, text := range map[string]func() string{
		"any":         func() string { return letters(r.IntN(20), "abcdefgh\xff\x00") },
		"zeros":       func() string { return letters(r.IntN(30), "\x00\x00\x00a") },
		"a beginning": func() string { return "crm/people/" + letters(1+r.IntN(9), "0123456789") },
		"few":         func() string { return letters(r.IntN(2), "ab") },
		"long":        func() string { return strings.Repeat("x", 40) + letters(r.IntN(3), "ab\x00") },
	} {
		for _, n := range []int{0, 1, 24, 25, 1000, 70_000} {
			xs := make([]string, n)
			for i := range xs {
				xs[i] = text()
			}
			want := slices.Clone(xs)
			slices.Sort(want)
			order := sorting.Order(xs)
			for i, at := range order {
				if xs[at] != want[i] {
					t.Fatalf("%d texts, %s: place %d is not in order", n, name, i)
				}
			}
			slices.Sort(order)
			for i, at := range order {
				if int(at) != i {
					t.Fatalf("%d texts, %s: place %d is missing", n, name, i)
				}
			}
			if sorting.Texts(xs); !slices.Equal(xs, want) {
				t.Errorf("%d texts, %s: not in order", n, name)
			}
		}
	}
}

func BenchmarkTexts(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 9))
	xs := make([]string, 200_000)
	for i := range xs {
		xs[i] = []string{"crm", "shop", "web"}[r.IntN(3)] + "/people/" + strings.Repeat("0", 8-len("12345")) + string(rune('a'+r.IntN(26))) + string(rune('a'+r.IntN(26))) + string(rune('a'+r.IntN(26))) + string(rune('a'+r.IntN(26)))
	}
	for name, sort := range map[string]func([]string){"words": sorting.Texts, "slices": slices.Sort[[]string]} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				sort(slices.Clone(xs))
			}
		})
	}
}
