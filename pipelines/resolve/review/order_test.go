package review

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNearestFirstAndSpread(t *testing.T) {
	pairs := []Pair{{3, "a"}, {0.1, "b"}, {0.2, "b"}, {-0.3, "b"}, {0.9, "c"}, {-0.05, "b"}}
	if got := Order(pairs, nil, 4); !slices.Equal(got, []int{5, 4, 0, 1}) {
		t.Errorf("%v", got) // the nearest; then the other patterns; then the first again
	}
	if got := Order(pairs, map[string]int{"b": 9}, 2); !slices.Equal(got, []int{4, 0}) {
		t.Errorf("what was asked before comes later: %v", got)
	}
	if got := Order(nil, nil, 3); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// Each pair once; inside one pattern, the nearer first.
func TestOrderIsWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		pairs := make([]Pair, r.IntN(60))
		for i := range pairs {
			pairs[i] = Pair{Off: r.NormFloat64() * 3, Pattern: string(rune('a' + r.IntN(5)))}
		}
		got := Order(pairs, nil, len(pairs)+3)
		last := map[string]float64{}
		for _, i := range got {
			off := max(pairs[i].Off, -pairs[i].Off)
			if off < last[pairs[i].Pattern] {
				t.Fatalf("%v after %v", off, last[pairs[i].Pattern])
			}
			last[pairs[i].Pattern] = off
		}
		slices.Sort(got)
		if len(slices.Compact(got)) != len(pairs) {
			t.Fatalf("%d of %d", len(got), len(pairs))
		}
	}
}
