package explain_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/explain"
)

// best tries every simple path.
func best(edges []weir.Edge, at, to string, seen map[string]bool, weakest float64, hops int) (float64, int) {
	if at == to {
		return weakest, hops
	}
	seen[at] = true
	defer delete(seen, at)
	top, length := math.Inf(-1), 0
	for _, e := range edges {
		other := ""
		switch {
		case !e.Used:
			continue
		case e.Left == at:
			other = e.Right
		case e.Right == at:
			other = e.Left
		}
		if other == "" || seen[other] {
			continue
		}
		if w, n := best(edges, other, to, seen, min(weakest, e.Weight), hops+1); w > top || (w == top && n < length) {
			top, length = w, n
		}
	}
	return top, length
}

func TestStrongestEqualsTryingEveryPath(t *testing.T) {
	names := []string{"a", "b", "c", "d", "e", "f", "g"}
	found := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		var edges []weir.Edge
		for range 3 + r.IntN(10) {
			i, j := r.IntN(len(names)), r.IntN(len(names))
			if i != j {
				edges = append(edges, weir.Edge{Left: names[min(i, j)], Right: names[max(i, j)], Weight: float64(r.IntN(5)), Used: r.IntN(5) > 0})
			}
		}
		w, n := best(edges, "a", "g", map[string]bool{}, math.Inf(1), 0)
		path := explain.Strongest(edges, "a", "g")
		if (path == nil) != math.IsInf(w, -1) {
			t.Fatalf("seed %d: path %v, but the best has %v", seed, path, w)
		}
		if path == nil {
			continue
		}
		found++
		at, weakest := "a", math.Inf(1)
		for _, h := range path {
			if h.From != at || !h.Edge.Used {
				t.Fatalf("seed %d: broken path %+v", seed, path)
			}
			at, weakest = h.To, min(weakest, h.Edge.Weight)
		}
		if at != "g" || weakest != w || len(path) != n {
			t.Fatalf("seed %d: weakest %v in %d hops, want %v in %d", seed, weakest, len(path), w, n)
		}
	}
	if found < 500 {
		t.Fatalf("only %d graphs had a path", found)
	}
}

func TestWhyNotNamesTheConstraint(t *testing.T) {
	edges := []weir.Edge{
		{Left: "a", Right: "b", Rule: "same_email", Weight: 40, Used: true},
		{Left: "b", Right: "c", Rule: "same_phone", Weight: 30, RefusedBy: "limit: customer_id"},
	}
	if p := explain.Strongest(edges, "a", "c"); p != nil {
		t.Fatalf("path over a refused edge: %+v", p)
	}
	p := explain.WhyNot(edges, "a", "c")
	if len(p) != 2 || p[1].Edge.RefusedBy != "limit: customer_id" {
		t.Fatalf("why not: %+v", p)
	}
	if p := explain.WhyNot(edges, "a", "z"); p != nil {
		t.Fatalf("evidence from nowhere: %+v", p)
	}
}
