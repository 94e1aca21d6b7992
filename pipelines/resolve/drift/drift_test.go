package drift_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/drift"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

// people are n records; city draws a town, and postcode says whether one is known.
func people(n int, seed uint64, city func(*rand.Rand) int, postcode float64) []weir.Record {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]weir.Record, n)
	for i := range out {
		a := map[string]string{"given_name": fmt.Sprint("g", string(rune('a'+r.IntN(26))), string(rune('a'+r.IntN(20)))),
			"family_name": fmt.Sprint("f", string(rune('a'+r.IntN(26))), string(rune('a'+r.IntN(26))), string(rune('a'+r.IntN(26)))),
			"birth_date":  fmt.Sprintf("%d-%02d-%02d", 1940+r.IntN(65), 1+r.IntN(12), 1+r.IntN(28)), "city": fmt.Sprint("ville ", string(rune('a'+city(r))))}
		if r.Float64() < postcode {
			a["postcode"] = fmt.Sprintf("%05d", 10000+r.IntN(300))
		}
		out[i] = weir.Record{ID: fmt.Sprintf("s/t/%d-%06d", seed, i), Kind: weir.Person, Source: "s", Attributes: a}
	}
	return out
}

func seen(m *model.Model, rs []weir.Record) drift.Seen {
	s := drift.Seen{Records: int64(len(rs)), Filled: make([]int64, len(m.Columns))}
	for i := range rs {
		for c := range m.Columns {
			if rs[i].Attributes[m.Columns[c].Name] != "" {
				s.Filled[c]++
			}
		}
		s.Drawn = append(s.Drawn, m.Prepare(&rs[i]))
	}
	return s
}

func large(fs []drift.Figure) map[string]drift.Figure {
	out := map[string]drift.Figure{}
	for _, f := range fs {
		if f.Large() {
			out[f.Column+"/"+f.Level] = f
		}
	}
	return out
}

func TestDriftIsSeenAndNothingElse(t *testing.T) {
	even := func(r *rand.Rand) int { return r.IntN(20) }
	def := weir.IdentityDef{Kind: weir.Person, Model: &weir.ModelDef{Auto: true}, Identifiers: map[string]weir.IdentifierRule{}}
	m, _, err := train.Train(&train.Sample{Records: people(3000, 1, even, 0.92)}, def, train.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(3) { // others of the same kind: no alarm
		if got := large(drift.Measure(m, seen(m, people(2000, 10+seed, even, 0.92)))); len(got) > 0 {
			t.Errorf("nothing changed, and yet %v", got)
		}
	}
	crowded := func(r *rand.Rand) int { // half of all in one town: equal towns 0.05, then 0.26
		if r.IntN(2) == 0 {
			return 3
		}
		return r.IntN(20)
	}
	got := large(drift.Measure(m, seen(m, people(2000, 20, crowded, 0.41))))
	post, city := got["postcode/"], got["city/exact"]
	if len(got) < 2 || math.Abs(post.Then-0.92) > 0.02 || math.Abs(post.Now-0.41) > 0.04 {
		t.Errorf("%v", got)
	}
	if math.Abs(city.Then-0.05) > 0.01 || math.Abs(city.Now-0.276) > 0.03 {
		t.Errorf("towns %+v", city)
	}
	for k := range got {
		if k[:4] != "post" && k[:4] != "city" {
			t.Errorf("nothing happened to %s: %+v", k, got[k])
		}
	}
	if drift.Measure(m, drift.Seen{}) != nil {
		t.Error("no records, no drift")
	}
}

func TestWords(t *testing.T) {
	f := drift.Figure{Column: "postcode", Then: 0.92, Now: 0.41}
	if got := f.String(); got != "postcode was filled in 92 % of records at training, now in 41 %" {
		t.Error(got)
	}
	if !f.Large() || (drift.Figure{Then: 0.5, Now: 0.45}).Large() || !(drift.Figure{Then: 0.06, Now: 0.01}).Large() || !(drift.Figure{Then: 0, Now: 0.2}).Large() {
		t.Error("what is large")
	}
}
