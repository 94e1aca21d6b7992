package trait_test

import (
	"fmt"
	"math/rand/v2"
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
			tr, err := trait.Compile(weir.TraitDef{Name: "t", Aggregate: how, Field: field}, &l, time.UTC)
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
				if got, want := tr.Value(&parts[0]), tr.Value(&whole); got.Known() != want.Known() || got.String() != want.String() || parts[0].Skipped() != whole.Skipped() {
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
		_, err := trait.Compile(weir.TraitDef{Name: "t", Aggregate: c.how, Field: c.field}, &l, time.UTC)
		if (err == nil) != c.good || err != nil && weir.CodeOf(err) != weir.Invalid {
			t.Errorf("%s of %s: %v", c.how, c.field, err)
		}
	}
	var l timeline.Layout
	if _, err := trait.Compile(weir.TraitDef{Name: "t", Aggregate: "count", Field: "events", Within: -1}, &l, time.UTC); weir.CodeOf(err) != weir.Invalid {
		t.Errorf("negative window: %v", err)
	}
}

// TestTies: of events of one moment the first and last go by id.
func TestTies(t *testing.T) {
	for how, want := range map[string]string{"first": "vA", "last": "vC"} {
		var l timeline.Layout
		tr, err := trait.Compile(weir.TraitDef{Name: "t", Aggregate: how, Field: "properties.x"}, &l, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		var s trait.State
		for _, id := range []string{"B", "C", "A"} {
			e := l.Event(&weir.Event{ID: id, OccurredAt: now, Properties: map[string]string{"x": "v" + id}})
			tr.Add(&s, &e, now)
		}
		if got := tr.Value(&s).String(); got != want {
			t.Errorf("%s is %s, want %s", how, got, want)
		}
	}
}
