package rule_test

import (
	"testing"
	"time"

	"github.com/weir-cdp/weir"
)

// TestDigestIsPinned: a new version of the rule language leaves the digest of a
// rule that does not use it. Else every member would be said to have entered by a
// changed definition.
func TestDigestIsPinned(t *testing.T) {
	def := weir.SegmentDef{Name: "lapsed_vip", Where: weir.Condition{At: "x:1", All: []weir.Condition{
		{Trait: "lifetime_value", Compare: []weir.Comparison{{Op: "at_least", Values: []string{"500"}}}},
		{IsEvent: true, Event: "Order Completed", Within: 365 * 24 * time.Hour, Count: []weir.Comparison{{Op: "at_least", Values: []string{"3"}}},
			Where: map[string][]weir.Comparison{"category": {{Op: "is", Values: []string{"shoes"}}}}},
		{None: []weir.Condition{{Attribute: "country", Compare: []weir.Comparison{{Op: "in", Values: []string{"FR", "BE"}}}}}}}}}
	traits := []weir.TraitDef{{Name: "lifetime_value", Of: weir.Person, Aggregate: "sum", Field: "properties.revenue", Event: "Order Completed", Within: time.Hour}}
	if got := digestOf(def, traits, map[string]weir.AttributeType{"country": weir.Text}, "Europe/Paris"); got != "7776b2652135994c" {
		t.Errorf("the digest is %s", got)
	}
}
