package explain_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/explain"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

func is(op string, v ...string) []weir.Comparison { return []weir.Comparison{{Op: op, Values: v}} }

func TestExplain(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	d := tally.Definitions{
		AttributeTypes: map[string]weir.AttributeType{"country": weir.Text, "birth_date": weir.Date},
		Traits:         []weir.TraitDef{{Name: "lifetime_value", Aggregate: "sum", Field: "properties.revenue", Event: "Order Completed"}},
		Segments: []weir.SegmentDef{{Name: "lapsed_vip", Where: weir.Condition{At: "lapsed_vip.yaml:3", All: []weir.Condition{
			{Trait: "lifetime_value", Compare: is("at_least", "500"), At: "lapsed_vip.yaml:4"},
			{None: []weir.Condition{{IsEvent: true, Event: "Order Completed", Within: 60 * 24 * time.Hour,
				Where: map[string][]weir.Comparison{"category": is("is", "shoes")}, Count: is("at_least", "2")}}},
			{Attribute: "birth_date", Compare: is("older_than", "18y")},
			{Attribute: "country", Compare: is("in", "FR", "BE")},
		}}}},
	}
	p := &weir.Profile{ID: "p1", Kind: weir.Person, Attributes: map[string]string{"birth_date": "1990-05-10"}}
	events := []weir.Event{{ID: "1", Name: "Order Completed", OccurredAt: now.AddDate(0, 0, -90), Properties: map[string]string{"revenue": "512.30"}}}
	got, err := explain.Explain(d, "lapsed_vip", p, events, now)
	if err != nil {
		t.Fatal(err)
	}
	want := explain.Verdict{What: "a profile of kind person", Value: "person", Known: true, At: "lapsed_vip.yaml:3", Children: []explain.Verdict{
		{What: "all of these", Known: true, At: "lapsed_vip.yaml:3", Children: []explain.Verdict{
			{What: "trait lifetime_value is at least 500", Value: "512.3", Known: true, Holds: true, At: "lapsed_vip.yaml:4"},
			{What: "none of these", Known: true, Holds: true, Children: []explain.Verdict{
				{What: `number of events "Order Completed" with category is shoes within 60d is at least 2`, Value: "0", Known: true}}},
			{What: "birth_date is longer ago than 18y", Value: "1990-05-10", Known: true, Holds: true},
			{What: "country is one of FR, BE"},
		}}}}
	g, _ := json.MarshalIndent(got, "", " ")
	w, _ := json.MarshalIndent(want, "", " ")
	if string(g) != string(w) {
		t.Errorf("got %s\nwant %s", g, w)
	}
	if _, err := explain.Explain(d, "nobody", p, nil, now); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("unknown segment: %v", err)
	}
	d.AttributeTypes = nil
	if _, err := explain.Explain(d, "lapsed_vip", p, nil, now); weir.CodeOf(err) != weir.Invalid {
		t.Errorf("broken segment: %v", err)
	}
}
