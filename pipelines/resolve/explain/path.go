package explain

import (
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
)

// Hop is one edge of a path, walked from From to To.
type Hop struct {
	From, To string
	Edge     weir.Edge
}

// Strongest returns the path over used edges whose weakest edge is the
// strongest; of those the shortest; of those the first by record ids. Two edges
// between the same records count as the stronger, then the first by rule. It is
// nil where no path leads from one record to the other, and empty for one
// record.
func Strongest(edges []weir.Edge, from, to string) []Hop {
	return search(edges, from, to, func(e weir.Edge) bool { return e.Used })
}

// WhyNot returns the path that would have joined two records: as Strongest, but
// over refused edges too. A hop whose edge is not Used names the constraint that
// stood against it. Nil means that there is no evidence at all.
func WhyNot(edges []weir.Edge, from, to string) []Hop {
	return search(edges, from, to, func(weir.Edge) bool { return true })
}

func search(edges []weir.Edge, from, to string, usable func(weir.Edge) bool) []Hop {
	if from == to {
		return []Hop{}
	}
	next := map[string][]Hop{}
	var weights []float64
	for _, e := range edges {
		if usable(e) {
			next[e.Left] = append(next[e.Left], Hop{e.Left, e.Right, e})
			next[e.Right] = append(next[e.Right], Hop{e.Right, e.Left, e})
			weights = append(weights, e.Weight)
		}
	}
	for _, hops := range next {
		slices.SortFunc(hops, compare)
	}
	// The weakest edge of the best path is the largest weight at which the two are
	// still connected.
	slices.Sort(weights)
	weights = slices.Compact(weights)
	lo, hi := 0, len(weights)
	for lo < hi {
		mid := (lo + hi) / 2
		if shortest(next, from, to, weights[mid]) != nil {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return nil
	}
	return shortest(next, from, to, weights[lo-1])
}

// shortest walks breadth first over edges of at least this weight, backwards, so
// that the path can then be read forwards by the smallest record at each hop.
func shortest(next map[string][]Hop, from, to string, least float64) []Hop {
	away := map[string]int{to: 0}
	for queue := []string{to}; len(queue) > 0; queue = queue[1:] {
		for _, h := range next[queue[0]] {
			if _, seen := away[h.To]; !seen && h.Edge.Weight >= least {
				away[h.To] = away[queue[0]] + 1
				queue = append(queue, h.To)
			}
		}
	}
	if _, reached := away[from]; !reached {
		return nil
	}
	var path []Hop
	for at := from; at != to; {
		for _, h := range next[at] {
			if d, seen := away[h.To]; seen && d == away[at]-1 && h.Edge.Weight >= least {
				path = append(path, h)
				at = h.To
				break
			}
		}
	}
	return path
}

func compare(a, b Hop) int {
	if c := strings.Compare(a.To, b.To); c != 0 {
		return c
	}
	switch {
	case a.Edge.Weight > b.Edge.Weight:
		return -1
	case a.Edge.Weight < b.Edge.Weight:
		return 1
	}
	return strings.Compare(a.Edge.Rule, b.Edge.Rule)
}
