package review

import (
	"cmp"
	"math"
)

// Pair is a candidate.
type Pair struct {
	Off     float64 // from the threshold, in log2 odds
	Pattern string  // levels of its columns
}

// Order gives the places of the most telling pairs, the most telling first, at
// most limit. asked counts the answers there are by pattern. Of equal pairs the
// first in the list comes first.
func Order(pairs []Pair, asked map[string]int, limit int) []int {
	seen := map[string]int{}
	for p, n := range asked {
		seen[p] = n
	}
	taken := make([]bool, len(pairs))
	var out []int
	for len(out) < min(limit, len(pairs)) {
		best := -1
		for i := range pairs {
			if !taken[i] && (best < 0 || cmp.Compare(worth(pairs[i], seen), worth(pairs[best], seen)) > 0) {
				best = i
			}
		}
		taken[best] = true
		seen[pairs[best].Pattern]++
		out = append(out, best)
	}
	return out
}

// worth is the entropy of an answer, as far as the distance from the threshold
// tells, shared among the answers about pairs that look the same.
func worth(p Pair, seen map[string]int) float64 {
	q := 1 / (1 + math.Exp2(-math.Abs(p.Off)))
	entropy := 0.0
	if q < 1 {
		entropy = -q*math.Log2(q) - (1-q)*math.Log2(1-q)
	}
	return entropy / float64(1+seen[p.Pattern])
}
