package train

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Any hashes are sorted, evenly spread or not, equal ones in the order in which
// they came.
func TestHashesAreSorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.SampledFrom([]uint64{^uint64(0), 1 << 60, 1000, 3, 1}).Draw(t, "most")
		hash := rapid.OneOf(rapid.Uint64Range(0, most), rapid.Uint64Range(0, min(most, 5)), rapid.Just(most))
		hs := rapid.SliceOfN(hash, 0, 300).Draw(t, "hashes")
		keys := make([]keyed, len(hs))
		for i := range hs {
			keys[i] = keyed{hs[i], int32(i)}
		}
		want := slices.Clone(keys)
		slices.SortStableFunc(want, func(a, b keyed) int { return cmp.Compare(a.hash, b.hash) })
		if got := sortedKeys(keys, most); !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
		sorted := sortedHashes(hs)
		if slices.Sort(hs); !slices.Equal(sorted, hs) {
			t.Fatalf("%v, want %v", sorted, hs)
		}
	})
}
