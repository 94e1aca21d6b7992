package model_test

import (
	"maps"
	"math"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// A doubt speaks against or not at all, and knows no order; what is not there
// doubts nothing, nor does a record doubt itself.
func TestDoubt(t *testing.T) {
	m, rs := trained(t)
	nothing := m.Prepare(&weir.Record{Kind: weir.Person, Source: "s9"})
	doubts := 0
	for i := range 200 {
		a := m.Prepare(&rs[i])
		if d := m.Doubt(&a, &a); d != 0 {
			t.Fatalf("a record doubts itself: %v", d)
		}
		if d := m.Doubt(&a, &nothing); d != 0 {
			t.Fatalf("nothing doubts: %v", d)
		}
		for j := range 200 {
			b := m.Prepare(&rs[j])
			d := m.Doubt(&a, &b)
			if back := m.Doubt(&b, &a); back != d || math.IsNaN(d) || d > 0 {
				t.Fatalf("doubt %v one way, %v the other", d, back)
			}
			if d < 0 {
				doubts++
			}
		}
	}
	if doubts < 20_000 {
		t.Fatalf("of 40,000 pairs only %d are doubted", doubts)
	}
}

// Scores of pairs hold the prior of any two records, doubts don't: a pair that
// agrees on the little that it holds is no link, and no doubt.
func TestDoubtHoldsNoPrior(t *testing.T) {
	m, rs := trained(t)
	thin := func(r weir.Record) model.Features {
		a := maps.Clone(r.Attributes)
		delete(a, "birth_date")
		return m.Prepare(&weir.Record{Kind: weir.Person, Source: "s9", Attributes: a})
	}
	seen := 0
	for i := range 200 {
		for j := range i {
			if maps.Equal(rs[i].Attributes, rs[j].Attributes) || rs[i].Attributes["given_name"] != rs[j].Attributes["given_name"] ||
				rs[i].Attributes["family_name"] != rs[j].Attributes["family_name"] {
				continue
			}
			a, b := thin(rs[i]), thin(rs[j])
			if m.Score(&a, &b) >= m.Threshold() {
				continue
			}
			seen++
			if d := m.Doubt(&a, &b); d != 0 {
				t.Fatalf("equal names doubt each other: %v", d)
			}
		}
	}
	if seen == 0 {
		t.Fatal("no pair is below the threshold")
	}
}
