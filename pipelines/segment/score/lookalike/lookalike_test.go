package lookalike_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/score/feature"
	"github.com/weir-cdp/weir/pipelines/segment/score/lookalike"
)

var schema = feature.Schema{Numbers: []string{"a", "b", "noise1", "noise2"}, Texts: []string{"country"}}

// town has two kinds of people that a segment takes (a high, or b high and in
// FR), some of whom it has not found, and many others. hidden says who it missed.
func town(n int, told bool) (ps []lookalike.Profile, hidden map[string]bool) {
	rng := rand.New(rand.NewPCG(7, 7))
	hidden = map[string]bool{}
	for i := range n {
		p := lookalike.Profile{ID: fmt.Sprintf("p%05d", i), Raw: feature.Raw{
			Numbers: []float64{rng.NormFloat64(), rng.NormFloat64(), 9 * rng.NormFloat64(), 9 * rng.NormFloat64()}, Texts: []string{[]string{"FR", "DE", "US"}[rng.IntN(3)]}}}
		switch rng.IntN(10) {
		case 0:
			p.Raw.Numbers[0] += 6
			p.Member = true
		case 1:
			p.Raw.Numbers[1] += 6
			p.Raw.Texts[0] = "FR"
			p.Member = true
		}
		if !told {
			p.Member = rng.IntN(10) == 0
		} else if p.Member && rng.IntN(2) == 0 {
			p.Member, hidden[p.ID] = false, true
		}
		ps = append(ps, p)
	}
	return ps, hidden
}

func TestFindsThoseWhoWereMissed(t *testing.T) {
	ps, hidden := town(6000, true)
	m, q, err := lookalike.Learn(schema, ps, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d centres, %+v", len(m.Centres), q)
	// A tenth of the others are missed members: those count as strangers in the
	// check, so it cannot reach 1.
	if q.AUC < 0.9 || q.Lift[2].Lift < 3 {
		t.Errorf("%+v", q)
	}
	var of, strangers float64
	for _, p := range ps {
		s := m.Similarity(p.Raw)
		if s < 0 || s > 1 {
			t.Fatal(s)
		}
		if hidden[p.ID] {
			of += s / float64(len(hidden))
		} else if !p.Member {
			strangers += s / float64(q.Others-len(hidden))
		}
	}
	if of < 2*strangers || of < 0.4 {
		t.Errorf("missed members are similar by %.3f, strangers by %.3f", of, strangers)
	}
}

// A segment drawn at random has no likeness: the check says so, or it is refused.
func TestChanceIsCalledChance(t *testing.T) {
	ps, _ := town(6000, false)
	_, q, err := lookalike.Learn(schema, ps, 1)
	if err != nil {
		if weir.CodeOf(err) != weir.Invalid {
			t.Fatal(err)
		}
		return
	}
	if q.AUC < 0.42 || q.AUC > 0.58 {
		t.Errorf("%+v", q)
	}
}

func TestSeedAndOrder(t *testing.T) {
	ps, _ := town(2000, true)
	said := func(ps []lookalike.Profile, seed uint64) string {
		m, q, err := lookalike.Learn(schema, ps, seed)
		if err != nil {
			t.Fatal(err)
		}
		out, _ := json.Marshal([]any{m, q})
		return string(out)
	}
	want := said(ps, 1)
	shuffled := make([]lookalike.Profile, len(ps))
	for i, j := range rand.New(rand.NewPCG(1, 1)).Perm(len(ps)) {
		shuffled[i] = ps[j]
	}
	if said(shuffled, 1) != want {
		t.Error("another order gives another model")
	}
	if said(ps, 2) == want {
		t.Error("another seed holds the same out")
	}
}

func TestTooSmallOrAlikeIsRefused(t *testing.T) {
	ps, _ := town(6000, true)
	alike := make([]lookalike.Profile, len(ps))
	for i, p := range ps {
		alike[i] = lookalike.Profile{ID: p.ID, Member: p.Member, Raw: feature.Raw{Numbers: []float64{1, 2, 3, 4}, Texts: []string{"FR"}}}
	}
	for name, ps := range map[string][]lookalike.Profile{"nobody": nil, "few": ps[:60], "alike": alike} {
		if _, _, err := lookalike.Learn(schema, ps, 1); weir.CodeOf(err) != weir.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
