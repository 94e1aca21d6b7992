package resolve

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSortHashedSorts(t *testing.T) {
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
			if got := sortHashed(xs, func(x *thing) uint64 { return x.hash }, compare); !slices.Equal(got, want) {
				t.Errorf("%d hashes, %s: not in order", n, name)
			}
		}
	}
}
