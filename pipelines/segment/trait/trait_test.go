package trait_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// TestMerge: states of parts of a history, merged, give what the whole gives,
// for every aggregate, with many events of one moment.
func TestMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for _, field := range []string{"properties.x", "occurred_at", "name", "events"} {
		for _, how := range trait.Aggregates() {
			var l timeline.Layout
			tr, err := trait.Compile(weir.TraitDef{Name: "t", Aggregate: how, Field: field}, nil, &l, time.UTC)
			if err != nil {
				continue // a field that the aggregate has no meaning for: TestCompile
			}
			for range 300 {
				var whole trait.State
				parts := make([]trait.State, 3)
				for i := range r.IntN(12) {
					x := []string{"", "1.5", "-2", "10", "n/a"}[r.IntN(5)]
					e := l.Event(&weir.Event{ID: fmt.Sprint("e", i), Name: []string{"A", "B"}[r.IntN(2)], OccurredAt: now.AddDate(0, 0, -r.IntN(3)), Properties: map[string]string{"x": x}})
					tr.Add(&whole, &e, now)
					tr.Add(&parts[r.IntN(3)], &e, now)
				}
				tr.Merge(&parts[1], &parts[2])
				tr.Merge(&parts[0], &parts[1])
				if got, want := tr.Value(&parts[0], now), tr.Value(&whole, now); got.Known() != want.Known() || got.String() != want.String() || parts[0].Skipped() != whole.Skipped() {
					t.Fatalf("%s of %s: merged %q, whole %q", how, field, got, want)
				}
			}
		}
	}
}

func TestCompile(t *testing.T) {
	for _, c := range []struct {
		how, field string
		good       bool
	}{
		{"count", "events", true}, {"count", "properties.x", true}, {"distinct", "name", true}, {"last", "name", true}, {"min", "occurred_at", true},
		{"sum", "occurred_at", false}, {"avg", "events", false}, {"max", "name", false}, {"last", "events", false}, {"sum", "revenue", false},
		{"sum", "properties.", false}, {"median", "properties.x", false}, {"", "", false},
	} {
		var l timeline.Layout
		_, err := trait.Compile(weir.TraitDef{Name: "t", Aggregate: c.how, Field: c.field}, nil, &l, time.UTC)
		if (err == nil) != c.good || err != nil && weir.CodeOf(err) != weir.Invalid {
			t.Errorf("%s of %s: %v", c.how, c.field, err)
		}
	}
	var l timeline.Layout
	if _, err := trait.Compile(weir.TraitDef{Name: "t", Aggregate: "count", Field: "events", Within: -1}, nil, &l, time.UTC); weir.CodeOf(err) != weir.Invalid {
		t.Errorf("negative window: %v", err)
	}
}

// TestTies: of events of one moment the first and last go by id.
func TestTies(t *testing.T) {
	for how, want := range map[string]string{"first": "vA", "last": "vC"} {
		var l timeline.Layout
		tr, err := trait.Compile(weir.TraitDef{Name: "t", Aggregate: how, Field: "properties.x"}, nil, &l, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		var s trait.State
		for _, id := range []string{"B", "C", "A"} {
			e := l.Event(&weir.Event{ID: id, OccurredAt: now, Properties: map[string]string{"x": "v" + id}})
			tr.Add(&s, &e, now)
		}
		if got := tr.Value(&s, now).String(); got != want {
			t.Errorf("%s is %s, want %s", how, got, want)
		}
	}
}

// TestCurrencies: amounts of several currencies are never added as if they were of
// one.
func TestCurrencies(t *testing.T) {
	table := []weir.Rate{{Currency: "USD", From: "2025-07-01", Rate: "0.85"}, {Currency: "USD", Rate: "0.96"}, {Currency: "JPY", Rate: "0.0061"}}
	for name, c := range map[string]struct {
		codes []string // of an amount of 10 each, a month apart back from now
		rates bool
		how   string
		want  string
	}{
		"all of one, without rates":      {[]string{"USD", "usd", "USD"}, false, "sum", "30"},
		"of none is the workspace's":     {[]string{"", "EUR"}, false, "sum", "20"},
		"several, without rates":         {[]string{"USD", "EUR"}, false, "sum", ""},
		"several and the largest":        {[]string{"USD", "EUR"}, false, "max", ""},
		"several, by rates":              {[]string{"USD", "EUR", "JPY", "", "", "", "USD"}, true, "sum", "58.161"},
		"average by rates":               {[]string{"USD", "JPY"}, true, "avg", "4.2805"},
		"smallest by rates":              {[]string{"USD", "EUR"}, true, "min", "8.5"},
		"one that the table lacks":       {[]string{"EUR", "GBP"}, true, "sum", ""},
		"one alone that the table lacks": {[]string{"GBP"}, true, "sum", ""},
	} {
		lines := table
		if !c.rates {
			lines = nil
		}
		rates, err := trait.NewRates("EUR", lines, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		var l timeline.Layout
		tr, err := trait.Compile(weir.TraitDef{Name: "t", Aggregate: c.how, Field: "properties.x", Currency: "properties.currency"}, rates, &l, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		for _, backwards := range []bool{false, true} {
			var s trait.State
			for i := range c.codes {
				if backwards {
					i = len(c.codes) - 1 - i
				}
				e := l.Event(&weir.Event{ID: fmt.Sprint(i), OccurredAt: now.AddDate(0, -i-1, 0), Properties: map[string]string{"x": "10", "currency": c.codes[i]}})
				tr.Add(&s, &e, now)
			}
			if got := tr.Value(&s, now).String(); got != c.want || s.Mixed() != (c.want == "") {
				t.Errorf("%s: %s is %q (mixed %v), want %q", name, c.how, got, s.Mixed(), c.want)
			}
		}
	}
	for part, line := range map[string]weir.Rate{"above 0": {Currency: "USD", Rate: "-1"}, "begins on a day": {Currency: "USD", Rate: "1", From: "soon"}, "own currency": {Currency: "EUR", Rate: "1"}} {
		if _, err := trait.NewRates("EUR", []weir.Rate{line}, time.UTC); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%+v: %v", line, err)
		}
	}
}

// TestLists: the first texts by their bytes, whatever the order, and of the most
// frequent ones the first.
func TestLists(t *testing.T) {
	var l timeline.Layout
	items, err := trait.Compile(weir.TraitDef{Name: "t", Aggregate: "list", Field: "properties.x"}, nil, &l, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	most, err := trait.Compile(weir.TraitDef{Name: "t", Aggregate: "most_frequent", Field: "properties.x"}, nil, &l, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	var s, m trait.State
	for _, i := range rand.New(rand.NewPCG(3, 3)).Perm(5000) {
		e := l.Event(&weir.Event{ID: fmt.Sprint(i), OccurredAt: now, Properties: map[string]string{"x": fmt.Sprintf("v%04d", i/2)}})
		items.Add(&s, &e, now)
		most.Add(&m, &e, now)
	}
	if got := items.Value(&s, now).Items(); len(got) != trait.MaxItems || got[0] != "v0000" || got[trait.MaxItems-1] != "v0999" {
		t.Errorf("%d texts from %s to %s", len(got), got[0], got[len(got)-1])
	}
	if got := most.Value(&m, now).String(); got != "v0000" {
		t.Errorf("most frequent of equals is %s", got)
	}
}
