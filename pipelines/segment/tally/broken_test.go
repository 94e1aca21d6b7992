package tally_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

func TestBroken(t *testing.T) {
	d := tally.Definitions{
		AttributeTypes: map[string]weir.AttributeType{"country": weir.Text},
		Traits: []weir.TraitDef{
			{Name: "good", Aggregate: "sum", Field: "properties.revenue"},
			{Name: "bad", Aggregate: "median", Field: "properties.revenue"},
		},
		Segments: []weir.SegmentDef{
			{Name: "fine", Where: weir.Condition{Attribute: "country", Compare: []weir.Comparison{compare("is", "FR")}}},
			{Name: "typo", Where: weir.Condition{Attribute: "contry", Compare: []weir.Comparison{compare("is", "FR")}}},
			{Name: "hangs_on_bad", Where: weir.Condition{Trait: "bad", Compare: []weir.Comparison{compare("at_least", "1")}}},
			{Name: "twice", Where: weir.Condition{Trait: "good", Compare: []weir.Comparison{compare("at_least", "1")}}},
			{Name: "twice", Where: weir.Condition{Trait: "good", Compare: []weir.Comparison{compare("at_least", "2")}}},
		},
	}
	plan, broken, err := tally.New(d)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, b := range broken {
		names = append(names, b.Name)
		if len(b.Reasons()) == 0 {
			t.Errorf("%s is broken for no reason", b.Name)
		}
	}
	if want := []string{"bad", "typo", "hangs_on_bad", "twice", "twice"}; !reflect.DeepEqual(names, want) {
		t.Errorf("broken %v, want %v", names, want)
	}
	if got := plan.Segments(); !reflect.DeepEqual(got, []string{"fine"}) {
		t.Errorf("segments %v", got)
	}
	out := plan.Outcome(&weir.Profile{ID: "p", Kind: weir.Person, Attributes: map[string]string{"country": "FR"}}, nil, benchNow)
	if !reflect.DeepEqual(out.Segments, []string{"fine"}) {
		t.Errorf("outcome %+v", out)
	}
	prior := map[string]string{"typo": "before"}
	digests := tally.Digests(d, broken, prior)
	if digests["typo"] != "before" || digests["hangs_on_bad"] != "" || digests["fine"] == "" {
		t.Errorf("digests %v", digests)
	}
	if _, _, err := tally.New(tally.Definitions{Timezone: "Local"}); weir.CodeOf(err) != weir.Invalid {
		t.Errorf("time zone Local: %v", err)
	}
}

// TestKinds: a person's segment holds neither accounts nor anonymous profiles.
func TestKinds(t *testing.T) {
	anyone := weir.Condition{None: []weir.Condition{{IsEvent: true}}}
	plan, _, err := tally.New(tally.Definitions{
		Segments: []weir.SegmentDef{{Name: "people", Where: anyone}, {Name: "firms", Of: weir.Account, Where: anyone}},
		Traits:   []weir.TraitDef{{Name: "n", Aggregate: "count", Field: "events"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[weir.Kind][]string{weir.Person: {"people"}, weir.Account: {"firms"}, weir.Anonymous: nil} {
		out := plan.Outcome(&weir.Profile{ID: "p", Kind: kind}, nil, benchNow)
		if !reflect.DeepEqual(out.Segments, want) || (len(out.Traits) == 1) != (kind == weir.Person) {
			t.Errorf("%s: %+v", kind, out)
		}
	}
	if plan.Needs() {
		t.Error("no window, and yet now matters")
	}
}

func TestNeeds(t *testing.T) {
	for what, d := range map[string]tally.Definitions{
		"window": {Segments: []weir.SegmentDef{{Name: "s", Where: weir.Condition{IsEvent: true, Within: time.Hour}}}},
		"age": {AttributeTypes: map[string]weir.AttributeType{"born": weir.Date},
			Segments: []weir.SegmentDef{{Name: "s", Where: weir.Condition{Attribute: "born", Compare: []weir.Comparison{compare("older_than", "18y")}}}}},
		"trait": {Traits: []weir.TraitDef{{Name: "t", Aggregate: "count", Field: "events", Within: time.Hour}}},
	} {
		if needs, err := tally.Needs(d); err != nil || !needs {
			t.Errorf("%s: %v %v", what, needs, err)
		}
	}
}

// TestSkipped: what is no number is skipped and counted; a sum that no longer
// fits the lake is unknown.
func TestSkipped(t *testing.T) {
	plan, _, err := tally.New(tally.Definitions{Traits: []weir.TraitDef{
		{Name: "avg", Aggregate: "avg", Field: "properties.x"}, {Name: "sum", Aggregate: "sum", Field: "properties.big"}}})
	if err != nil {
		t.Fatal(err)
	}
	state := plan.NewState()
	for _, x := range []string{"10", "n/a", "", "20", "1e3"} {
		e := plan.Event(&weir.Event{Properties: map[string]string{"x": x, "big": "99999999999999999999999999999"}})
		plan.Add(state, &e, benchNow)
	}
	out := plan.Outcome(&weir.Profile{ID: "p", Kind: weir.Person}, state, benchNow)
	if want := []weir.TraitValue{{ProfileID: "p", Trait: "avg", Number: "15"}}; !reflect.DeepEqual(out.Traits, want) || out.Skipped != 2 {
		t.Errorf("%+v, skipped %d", out.Traits, out.Skipped)
	}
}
