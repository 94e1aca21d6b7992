package stages

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

// A count by an event that nobody knows is a 0 with a warning and the nearest name,
// also through a trait and a sequence; one that is mapped or has rows gives none.
func TestCountsWarnOfEventsThatNobodyDid(t *testing.T) {
	w := crowd(t, rand.New(rand.NewPCG(3, 3)), 20)
	w.project.Traits = append(w.project.Traits, weir.TraitDef{Name: "wishes", Of: weir.Person, Aggregate: "count", Field: "events", Event: "Wished"},
		weir.TraitDef{Name: "twice", Of: weir.Person, Aggregate: "expression", Expression: "trait.wishes * 2.0"})
	some := []weir.Comparison{{Op: "at_least", Values: []string{"1"}}}
	for name, c := range map[string]struct {
		where weir.Condition
		want  []string // part of each warning
	}{
		"seen":           {weir.Condition{IsEvent: true, Event: "Order Completed"}, nil},
		"any":            {weir.Condition{IsEvent: true}, nil},
		"misspelt":       {weir.Condition{IsEvent: true, Event: "Order Complete"}, []string{`no event "Order Complete" has been collected, and no source maps one; did you mean "Order Completed"?`}},
		"never heard of": {weir.Condition{None: []weir.Condition{{IsEvent: true, Event: "Flown to the Moon"}}}, []string{`no event "Flown to the Moon" has been collected`}},
		"by trait":       {weir.Condition{Trait: "twice", Compare: some}, []string{`"Wished"`}},
		"in a sequence":  {weir.Condition{Sequence: &weir.Sequence{Steps: []weir.Step{{Event: "Clickd"}, {Event: "Visited"}}}}, []string{`did you mean "Clicked"?`}},
	} {
		v, err := crowdCount(t, w, c.where, LiveOrder{})
		if err != nil || len(v.Warnings) != len(c.want) {
			t.Errorf("%s: %q, %v", name, v.Warnings, err)
			continue
		}
		for i, part := range c.want {
			if !strings.Contains(v.Warnings[i], part) {
				t.Errorf("%s: %q; want %q", name, v.Warnings[i], part)
			}
		}
	}
}
