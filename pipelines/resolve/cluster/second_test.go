package cluster

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPairsToAsk: all pairs that no score links; in a component that is too large,
// at most so many of those that share a neighbour, and none twice.
func TestPairsToAsk(t *testing.T) {
	bounded := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 9))
		k := 3 + r.IntN(8)
		component := make([]int32, k)
		for i := range component {
			component[i] = int32(10 + 3*i)
		}
		linked := map[[2]int]bool{}
		for range r.IntN(2 * k) {
			i, j := r.IntN(k), r.IntN(k)
			if i != j {
				linked[[2]int{min(i, j), max(i, j)}] = true
			}
		}
		var links []link
		for p := range linked {
			links = append(links, link{component[0], component[p[0]], component[p[1]]})
		}
		slices.SortFunc(links, compareLinks)
		near := func(i, j int) bool {
			for m := range k {
				if linked[[2]int{min(i, m), max(i, m)}] && linked[[2]int{min(j, m), max(j, m)}] {
					return true
				}
			}
			return false
		}
		for _, most := range []int{k * (k - 1) / 2, 3} {
			whole := most == k*(k-1)/2
			var want [][2]int
			for i := range k {
				for j := i + 1; j < k; j++ {
					if !linked[[2]int{i, j}] && (whole || near(i, j)) {
						want = append(want, [2]int{i, j})
					}
				}
			}
			var got [][2]int
			pairsToAsk(component, links, most, func(i, j int) { got = append(got, [2]int{i, j}) })
			slices.SortFunc(got, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
			switch {
			case whole && !slices.Equal(got, want):
				t.Fatalf("seed %d: asked %v, want %v", seed, got, want)
			case !whole && len(got) != min(most, len(want)):
				t.Fatalf("seed %d: asked %d of %d pairs, at most %d", seed, len(got), len(want), most)
			case len(slices.Compact(slices.Clone(got))) != len(got):
				t.Fatalf("seed %d: asked twice: %v", seed, got)
			}
			for _, p := range got {
				if !slices.Contains(want, p) {
					t.Fatalf("seed %d: asked about %v", seed, p)
				}
			}
			if !whole && len(want) > most {
				bounded++
			}
		}
	}
	if bounded < 50 {
		t.Fatalf("the bound was reached %d times", bounded)
	}
}
