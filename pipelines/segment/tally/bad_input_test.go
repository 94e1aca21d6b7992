package tally_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
)

// TestLongList: a list of 10 MB is looked up by hash, numbers in any spelling.
func TestLongList(t *testing.T) {
	var texts, numbers []string
	for i := range 600_000 {
		texts, numbers = append(texts, fmt.Sprintf("customer-%07d", i)), append(numbers, fmt.Sprintf("%d.50", i))
	}
	in := func(attribute string, list []string) weir.Condition {
		return weir.Condition{Attribute: attribute, Compare: []weir.Comparison{{Op: "in", Values: list}}}
	}
	plan, broken, err := tally.New(tally.Definitions{AttributeTypes: map[string]weir.AttributeType{"code": weir.Text, "points": weir.Number},
		Segments: []weir.SegmentDef{{Name: "codes", Where: in("code", texts)}, {Name: "points", Where: in("points", numbers)}}})
	if err != nil || len(broken) > 0 {
		t.Fatal(err, broken)
	}
	for _, c := range []struct {
		code, points string
		want         []string
	}{
		{"customer-0599999", "599999.5", []string{"codes", "points"}}, {"customer-0600000", "599999.51", nil}, {"", "17.500", []string{"points"}},
	} {
		p := weir.Profile{Kind: weir.Person, Attributes: map[string]string{"code": c.code, "points": c.points}}
		if got := plan.Outcome(&p, nil, benchNow).Segments; !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestOddEvents: before 1970, later than now, at the ends of what a time can be, and
// negative amounts.
func TestOddEvents(t *testing.T) {
	plan, broken, err := tally.New(tally.Definitions{Traits: []weir.TraitDef{
		{Name: "n", Aggregate: "count", Field: "events"}, {Name: "spent", Aggregate: "sum", Field: "properties.revenue"},
		{Name: "first", Aggregate: "first", Field: "occurred_at"}, {Name: "days", Aggregate: "since", Field: "first"}},
		Segments: []weir.SegmentDef{
			{Name: "old", Where: weir.Condition{Sequence: &weir.Sequence{Steps: []weir.Step{{Event: "A"}, {Event: "B"}}, Span: "80y"}, Session: "properties.s"}},
			{Name: "owes", Where: weir.Condition{Trait: "spent", Compare: []weir.Comparison{{Op: "less_than", Values: []string{"0"}}}}}}})
	if err != nil || len(broken) > 0 {
		t.Fatal(err, broken)
	}
	state := plan.NewState()
	for i, e := range []weir.Event{
		{Name: "A", OccurredAt: time.Date(1950, 5, 1, 0, 0, 0, 0, time.UTC), Properties: map[string]string{"revenue": "-10.10", "s": "x"}},
		{Name: "B", OccurredAt: time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC), Properties: map[string]string{"revenue": "10.05", "s": "x"}},
		{Name: "B", OccurredAt: benchNow.Add(time.Microsecond), Properties: map[string]string{"revenue": "999"}},
		{Name: "B", OccurredAt: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), Properties: map[string]string{"revenue": "999"}},
	} {
		e.ID = fmt.Sprint(i)
		cut := plan.Event(&e)
		plan.Add(state, &cut, benchNow)
	}
	out := plan.Outcome(&weir.Profile{ID: "p", Kind: weir.Person}, state, benchNow)
	if !slices.Equal(out.Segments, []string{"old", "owes"}) {
		t.Errorf("segments %v", out.Segments)
	}
	want := []weir.TraitValue{{ProfileID: "p", Trait: "days", Number: "27639"}, {ProfileID: "p", Trait: "first", Time: time.Date(1950, 5, 1, 0, 0, 0, 0, time.UTC)},
		{ProfileID: "p", Trait: "n", Number: "2"}, {ProfileID: "p", Trait: "spent", Number: "-0.05"}}
	if !slices.Equal(out.Traits, want) {
		t.Errorf("traits %+v", out.Traits)
	}
}

// TestManyEvents: a profile of five million events takes no more memory than the
// moments that a sequence keeps.
func TestManyEvents(t *testing.T) {
	steps := []weir.Step{{Event: "View"}, {Event: "Order"}}
	plan, broken, err := tally.New(tally.Definitions{Traits: []weir.TraitDef{
		{Name: "spent", Aggregate: "sum", Field: "properties.revenue", Event: "Order"}, {Name: "often", Aggregate: "most_frequent", Field: "properties.revenue"},
		{Name: "last", Aggregate: "last", Field: "occurred_at"}},
		Segments: []weir.SegmentDef{{Name: "funnel", Where: weir.Condition{Sequence: &weir.Sequence{Steps: steps, Strict: true}, Session: "true"}},
			{Name: "recent", Where: weir.Condition{IsEvent: true, Event: "View", Window: &weir.Window{During: "this_month"}}},
			{Name: "busy", Where: weir.Condition{IsEvent: true, Event: "View", Session: "true"}}}})
	if err != nil || len(broken) > 0 {
		t.Fatal(err, broken)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	state := plan.NewState()
	r := rand.New(rand.NewPCG(4, 2))
	year := int64(365 * 24 * time.Hour)
	e := timeline.Event{Properties: make([]string, len(plan.Properties()))}
	for i := range 5_000_000 {
		e.ID, e.Name, e.At = "e", []string{"View", "Order", "Open"}[i%3], benchNow.Add(-time.Duration(r.Int64N(year)))
		for j := range e.Properties {
			e.Properties[j] = []string{"1.10", "2.20"}[i%2]
		}
		plan.Add(state, &e, benchNow)
	}
	out := plan.Outcome(&weir.Profile{ID: "p", Kind: weir.Person}, state, benchNow)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("the state takes %d bytes", grown)
	}
	runtime.KeepAlive(state)
	if out.Forgot != 1 || len(out.Traits) != 3 || out.Traits[2].Number != "2750001.1" {
		t.Errorf("%+v", out)
	}
}

// TestAttributesRead: the stage keeps of a profile what rules read, and what traits
// that are computed from attributes read.
func TestAttributesRead(t *testing.T) {
	types := map[string]weir.AttributeType{"country": weir.Text, "born": weir.Date, "points": weir.Number, "other": weir.Text}
	plan, broken, err := tally.New(tally.Definitions{AttributeTypes: types,
		Traits:   []weir.TraitDef{{Name: "age", Aggregate: "since", Field: "attribute.born"}, {Name: "double", Aggregate: "expression", Expression: "attribute.points * 2"}},
		Segments: []weir.SegmentDef{{Name: "here", Where: weir.Condition{Attribute: "country", Compare: []weir.Comparison{compare("is", "FR")}}}}})
	if err != nil || len(broken) > 0 {
		t.Fatal(err, broken)
	}
	if got := plan.Attributes(); len(got) != 3 || !got["country"] || !got["born"] || !got["points"] {
		t.Errorf("%v", got)
	}
	if !plan.Needs() {
		t.Error("an age changes with time")
	}
}
