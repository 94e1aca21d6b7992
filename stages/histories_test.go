package stages

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/decisions"
	"github.com/weir-cdp/weir/pipelines/resolve/stableid"
)

// Random histories of records that come and go, decisions and their undoing: every
// run respects what stands, no id is lost, and a link that is split again, or undone,
// leaves what was before (invariants 4 and 5).
func TestHistoriesOfDecisions(t *testing.T) {
	linked := 0
	for seed := range uint64(2) {
		rng := rand.New(rand.NewPCG(seed, 9))
		r := newRegistry(t)
		ever := map[string]bool{}
		resolve := func() map[string]string {
			r.settle(weir.Resolve)
			links := r.links()
			for _, p := range links {
				ever[p] = true
			}
			return links
		}
		links := map[string]string{}
		pick := func() string { return slices.Sorted(maps.Keys(links))[rng.IntN(len(links))] }
		for range 5 {
			for range 4 {
				id := fmt.Sprintf("crm/%d", rng.IntN(12))
				if rng.IntN(5) == 0 && len(r.records) > 6 {
					delete(r.records, "crm/c/"+id[4:])
					continue
				}
				r.add(id, fmt.Sprintf("email=e%d@x.fr", rng.IntN(11)), fmt.Sprintf("phone=+3360000%04d", rng.IntN(14)))
			}
			links = resolve()
			a, b := pick(), pick()
			switch rng.IntN(4) {
			case 0:
				if a != b {
					r.decide(DecisionOrder{Do: DoUnlink, A: a, B: b})
				}
			case 1:
				if _, err := r.DraftDecision(t.Context(), DecisionOrder{Do: DoSplit, A: a, Records: []string{a}, Reason: "x", Author: "y"}); err == nil {
					r.decide(DecisionOrder{Do: DoSplit, A: a, Records: []string{a}})
				}
			case 2:
				if links[a] != links[b] {
					r.decide(DecisionOrder{Do: DoLink, A: a, B: b})
				}
			default:
				all, err := r.IdentityDecisions(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if all = slices.DeleteFunc(all, func(d ListedDecision) bool { return d.Gone }); len(all) > 0 {
					r.decide(DecisionOrder{Do: DoUndo, A: all[rng.IntN(len(all))].ID})
				}
			}
			links = resolve()
			r.respected(links)
			r.resolves(ever, links)
			if a, b = links[pick()], links[pick()]; a != b {
				linked += r.thereAndBack(links, a, b, resolve)
			}
		}
	}
	if linked < 4 {
		t.Errorf("%d links joined something: the histories test little", linked)
	}
}

// respected checks every standing decision that sets records apart.
func (r *registry) respected(links map[string]string) {
	r.t.Helper()
	_, apart := decisions.Settle(decisions.List(rowsOf[weir.IdentityDecision](r, decisionsTable, "")))
	for _, d := range apart {
		for _, x := range d.Stays {
			for _, y := range d.Moves {
				if links[x] != "" && links[x] == links[y] {
					r.t.Fatalf("%s and %s are one, and were set apart", x, y)
				}
			}
		}
	}
}

// resolves checks that every id of old leads to a living profile, or is retired.
func (r *registry) resolves(ever map[string]bool, links map[string]string) {
	r.t.Helper()
	living := map[string]bool{}
	for _, p := range links {
		living[p] = true
	}
	h := stableid.NewHistory(rowsOf[weir.Merge](r, "identity.merges", ""))
	for id := range ever {
		if now, alive := h.Resolve(id); alive != living[now] || (living[id] && now != id) {
			r.t.Fatalf("%s leads to %q, alive %v", id, now, alive)
		}
	}
}

// thereAndBack links two profiles and splits them again, then undoes both: each way
// back leads to what was. It returns 1 if the link joined them.
func (r *registry) thereAndBack(before map[string]string, a, b string, resolve func() map[string]string) int {
	r.t.Helper()
	sizes := map[string]int{}
	var hers []string
	for rec, p := range before {
		sizes[p]++
		if p == a {
			hers = append(hers, rec)
		}
	}
	slices.Sort(hers)
	link := r.decide(DecisionOrder{Do: DoLink, A: a, B: b})
	joined := resolve()
	same := func(now map[string]string, what string) {
		r.t.Helper()
		for x := range before {
			for y := range before {
				if (before[x] == before[y]) != (now[x] == now[y]) {
					r.t.Fatalf("%s: %s and %s are not as before\n%s", what, x, y, cmp.Diff(before, now))
				}
			}
			if before[x] != now[x] && sizes[a] != sizes[b] {
				r.t.Fatalf("%s: %s was of %s, is of %s", what, x, before[x], now[x])
			}
		}
	}
	merged := 0
	if slices.ContainsFunc(slices.Collect(maps.Keys(before)), func(rec string) bool { return before[rec] == b && joined[rec] == joined[hers[0]] }) {
		merged = 1
		split := r.decide(DecisionOrder{Do: DoSplit, A: hers[0], Records: hers})
		same(resolve(), "linked and split")
		r.decide(DecisionOrder{Do: DoUndo, A: split.ID})
		if again := resolve(); !maps.Equal(joined, again) && sizes[a] != sizes[b] {
			r.t.Fatalf("the split undone: %s", cmp.Diff(joined, again))
		}
	}
	r.decide(DecisionOrder{Do: DoUndo, A: link.ID})
	same(resolve(), "the link undone")
	return merged
}
