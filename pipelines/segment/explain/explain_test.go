package explain_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/explain"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
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
			{What: "trait lifetime_value is at least 500", Value: "512.3", Known: true, Holds: true, At: "lapsed_vip.yaml:4",
				Behind: 1, Events: []explain.Row{{ID: "1", Name: "Order Completed", At: now.AddDate(0, 0, -90)}}},
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

// TestSay: every form of condition in plain English.
func TestSay(t *testing.T) {
	event := weir.Condition{IsEvent: true, Event: "Order Completed"}
	with := func(change func(*weir.Condition)) *weir.Condition {
		c := event
		change(&c)
		return &c
	}
	revenue := weir.Measure{How: "sum", Of: "properties.revenue", Compare: is("at_least", "100")}
	for _, c := range []struct {
		c    *weir.Condition
		want string
	}{
		{&event, `number of events "Order Completed" is at least 1`},
		{with(func(c *weir.Condition) { c.Measures = []weir.Measure{revenue} }), `sum of revenue of events "Order Completed" is at least 100`},
		{with(func(c *weir.Condition) { c.Measures, c.Count = []weir.Measure{revenue}, is("is", "2") }),
			`number of events "Order Completed" is 2, and sum of revenue of events "Order Completed" is at least 100`},
		{with(func(c *weir.Condition) {
			c.Measures = []weir.Measure{{How: "last", Of: "occurred_at", Compare: is("older_than", "30d")}}
		}), `the last of events "Order Completed" is longer ago than 30d`},
		{with(func(c *weir.Condition) { c.Which, c.Window = "first", &weir.Window{During: "this_month"} }), `the first event "Order Completed" is this month`},
		{with(func(c *weir.Condition) {
			c.Which, c.Where = "last", map[string][]weir.Comparison{"category": is("is", "shoes")}
		}), `the last event "Order Completed" is one with category is shoes`},
		{with(func(c *weir.Condition) { c.Which = "first" }), `there is a first event "Order Completed"`},
		{with(func(c *weir.Condition) { c.Window = &weir.Window{During: "last 4 weeks"} }), `number of events "Order Completed" in the last 4 full weeks is at least 1`},
		{with(func(c *weir.Condition) { c.Window = &weir.Window{Between: []string{"90d", "30d"}} }), `number of events "Order Completed" between 90d and 30d ago is at least 1`},
		{with(func(c *weir.Condition) { c.Window = &weir.Window{Between: []string{"2025-01-01", "2025-01-31"}} }), `number of events "Order Completed" from 2025-01-01 to 2025-01-31 is at least 1`},
		{&weir.Condition{Sequence: &weir.Sequence{Steps: []weir.Step{{Event: "View", Where: map[string][]weir.Comparison{"category": is("is", "shoes")}}, {Event: "Order"}},
			Span: "7d", Strict: true}, Session: "45m", Window: &weir.Window{Within: "3mo"}},
			`"View" with category is shoes, then "Order", in at most 7d, with no other of these events between, in one session (45m apart), within 3mo`},
		{with(func(c *weir.Condition) { c.Session = "true" }), `largest number of events "Order Completed" in one session is at least 1`},
		{&weir.Condition{Segment: "vip"}, "is in segment vip"},
		{&weir.Condition{Random: &weir.Random{To: "10", Seed: "winter", Holdout: true}}, "is not among the random 10 % of winter"},
		{&weir.Condition{Attribute: "birth_date", Compare: []weir.Comparison{{Op: "anniversary", Values: []string{"next", "7d"}}}}, "birth_date has its anniversary in the next 7d"},
		{&weir.Condition{Attribute: "email", Compare: is("ends_with", "@a.fr", "@b.fr")}, "email ends with one of @a.fr, @b.fr"},
	} {
		if got := explain.Say(c.c); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestRowsBehind: an edge has its one event, a count the latest of its events.
func TestRowsBehind(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	d := tally.Definitions{Segments: []weir.SegmentDef{{Name: "s", Where: weir.Condition{All: []weir.Condition{
		{IsEvent: true, Event: "View", Which: "last"}, {IsEvent: true, Event: "View", Within: 40 * 24 * time.Hour}}}}}}
	var events []weir.Event
	for i := range 50 {
		events = append(events, weir.Event{ID: fmt.Sprintf("e%02d", i), Name: "View", OccurredAt: now.AddDate(0, 0, -i)})
	}
	v, err := explain.Explain(d, "s", &weir.Profile{Kind: weir.Person}, events, now)
	if err != nil {
		t.Fatal(err)
	}
	last, many := v.Children[0].Children[0], v.Children[0].Children[1]
	if len(last.Events) != 1 || last.Events[0].ID != "e00" || last.Value != "2026-01-01T00:00:00Z" {
		t.Errorf("last: %+v", last)
	}
	if many.Behind != 40 || len(many.Events) != explain.Shown || many.Events[explain.Shown-1].ID != "e00" {
		t.Errorf("many: %+v", many)
	}
}

// TestSequenceBehind: the events of the steps, and no other.
func TestSequenceBehind(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	d := tally.Definitions{Segments: []weir.SegmentDef{{Name: "s", Where: weir.Condition{Segment: "below"}},
		{Name: "below", Where: weir.Condition{Sequence: &weir.Sequence{Steps: []weir.Step{{Event: "View"}, {Event: "Order"}}}}}}}
	var events []weir.Event
	for i, name := range []string{"Order", "View", "View", "Open", "Order", "Order"} {
		events = append(events, weir.Event{ID: fmt.Sprint(i), Name: name, OccurredAt: now.Add(time.Duration(i-10) * time.Hour)})
	}
	v, err := explain.Explain(d, "s", &weir.Profile{Kind: weir.Person}, events, now)
	if err != nil {
		t.Fatal(err)
	}
	below := v.Children[0].Children[0]
	if !v.Holds || len(below.Events) != 2 || below.Events[0].ID != "2" || below.Events[1].ID != "4" {
		t.Errorf("%+v", v)
	}
}

func TestPrint(t *testing.T) {
	def := weir.SegmentDef{Timezone: "Europe/Paris", Where: weir.Condition{All: []weir.Condition{
		{Trait: "spent", Compare: is("at_least", "500")}, {Trait: "risk", Compare: is("at_least", "0.5")}, {None: []weir.Condition{{Attribute: "country", Compare: is("is", "FR")}}}}}}
	traits := []weir.TraitDef{{Name: "unread", Aggregate: "count", Field: "events"},
		{Name: "spent", Aggregate: "ratio", Ratio: []string{"revenue", "days"}}, {Name: "days", Aggregate: "since", Field: "attribute.joined"},
		{Name: "risk", Aggregate: weir.Score, Field: "probability"},
		{Name: "revenue", Aggregate: "sum", Field: "properties.revenue", Event: "Order", Window: &weir.Window{During: "this_year"}, Currency: "properties.currency"}}
	want := []explain.Line{{Depth: 0, Text: "a profile of kind person, by the clocks of Europe/Paris"}, {Depth: 1, Text: "all of these"}, {Depth: 2, Text: "trait spent is at least 500"}, {Depth: 2, Text: "trait risk is at least 0.5"},
		{Depth: 2, Text: "none of these"}, {Depth: 3, Text: "country is FR"}, {Depth: 0, Text: "trait days is the number of days since joined"},
		{Depth: 0, Text: `trait revenue is the sum of revenue of events "Order" this year, amounts being in currency`}, {Depth: 0, Text: "trait risk is the score probability, learned from all profiles"}, {Depth: 0, Text: "trait spent is the ratio of revenue to days"}}
	if got := explain.Print(def, traits); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// TestPrintRelated: what is asked about linked profiles stands below.
func TestPrintRelated(t *testing.T) {
	french := &weir.Condition{Attribute: "country", Compare: is("is", "FR")}
	list := []weir.Condition{
		{Related: &weir.Related{Kind: weir.Person, How: "any", Where: french}}, {Related: &weir.Related{Kind: weir.Person, How: "all", Where: french}},
		{Related: &weir.Related{Kind: weir.Person, How: "none", Where: french}}, {Related: &weir.Related{Kind: weir.Person, Count: is("at_least", "3"), Where: french}},
		{Related: &weir.Related{Kind: weir.Account, How: "any"}}, {Related: &weir.Related{Kind: weir.Account, How: "none"}}, {Related: &weir.Related{Kind: weir.Account, Count: is("between", "2", "5")}},
	}
	want := []string{"a profile of kind account", "all of these", "at least one of its people fits this", "country is FR", "it has people, and all of them fit this", "country is FR",
		"none of its people fits this", "country is FR", "number of its people that fit this is at least 3", "country is FR", "it has accounts", "it has no accounts", "number of its accounts is between 2 and 5"}
	var got []string
	for _, l := range explain.Print(weir.SegmentDef{Of: weir.Account, Where: weir.Condition{All: list}}, nil) {
		got = append(got, l.Text)
		if (l.Text == "country is FR") != (l.Depth == 3) {
			t.Errorf("%+v", l)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// TestRelatedVerdict: how many fit, and some of those who make it so.
func TestRelatedVerdict(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	bought := &weir.Condition{IsEvent: true, Event: "Order"}
	var people []*explain.Subject
	for i := range 6 {
		p := &explain.Subject{Profile: weir.Profile{ID: fmt.Sprint("p", i), Kind: weir.Person}}
		if i%2 == 0 {
			p.Events = []weir.Event{{ID: fmt.Sprint("e", i), Name: "Order", OccurredAt: now}}
		}
		people = append(people, p)
	}
	people = append(people, &explain.Subject{Profile: weir.Profile{ID: "a2", Kind: weir.Account}}) // no person
	firm := &explain.Subject{Profile: weir.Profile{ID: "a1", Kind: weir.Account}, Linked: func(yield func(*explain.Subject, error) bool) {
		for _, p := range people {
			if !yield(p, nil) {
				return
			}
		}
	}}
	for how, want := range map[string]string{
		"any":  "true at least one of its people fits this 3 of 6: person p0 true 1 event, person p2 true 1 event, person p4 true 1 event",
		"all":  "false it has people, and all of them fit this 3 of 6: person p1 false 0 event, person p3 false 0 event, person p5 false 0 event",
		"none": "false none of its people fits this 3 of 6: person p0 true 1 event, person p2 true 1 event, person p4 true 1 event",
	} {
		d := tally.Definitions{Segments: []weir.SegmentDef{{Name: "s", Of: weir.Account, Where: weir.Condition{Related: &weir.Related{Kind: weir.Person, How: how, Where: bought}}}}}
		v, err := explain.With(d, "s", firm, now)
		if err != nil {
			t.Fatal(err)
		}
		c := v.Children[0]
		got := fmt.Sprint(v.Holds, " ", c.What, " ", c.Value)
		for i, p := range c.Children {
			got += []string{": ", ", "}[min(i, 1)] + fmt.Sprint(p.What, " ", p.Holds, " ", len(p.Children[0].Events), " event")
		}
		if got != want || v.Holds != c.Holds || c.Linked.All != 6 {
			t.Errorf("%s: got %s\nwant %s", how, got, want)
		}
		told, err := explain.With(d, "s", &explain.Subject{Profile: firm.Profile, Counts: []rule.Linked{{All: 2}}}, now)
		if c := told.Children[0]; err != nil || told.Holds != (how == "none") || c.Value != "0 of 2" || len(c.Children) > 0 || c.What[len(c.What)-len(explain.Say(bought)):] != explain.Say(bought) {
			t.Errorf("by numbers alone: %+v, %v", told, err)
		}
	}
}
