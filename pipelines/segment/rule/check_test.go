package rule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
)

var (
	attributes = map[string]weir.AttributeType{"country": "", "points": weir.Number, "birth_date": weir.Date}
	traits     = map[string]weir.AttributeType{"lifetime_value": weir.Number}
)

func is(v ...string) []weir.Comparison { return []weir.Comparison{{Op: "is", Values: v}} }

func nested(depth int) weir.Condition {
	c := weir.Condition{Attribute: "country", Compare: is("FR"), At: "segments/x.yaml:99"}
	for range depth - 1 {
		c = weir.Condition{All: []weir.Condition{c}}
	}
	return c
}

func TestCheck(t *testing.T) {
	const at = "segments/x.yaml:7"
	for name, c := range map[string]struct {
		where weir.Condition
		parts []string // of one error each
	}{
		"good":            {weir.Condition{Attribute: "country", Compare: is("FR"), At: at}, nil},
		"deep enough":     {nested(50), nil},
		"too deep":        {nested(51), []string{"deeper than 50"}},
		"nearest":         {weir.Condition{Attribute: "contry", Compare: is("FR"), At: at}, []string{"did you mean country?"}},
		"unknown":         {weir.Condition{Attribute: "shoe_size", Compare: is("44"), At: at}, []string{`no attribute "shoe_size"`}},
		"trait":           {weir.Condition{Trait: "livetime_value", Compare: is("1"), At: at}, []string{"did you mean lifetime_value?"}},
		"empty":           {weir.Condition{At: at}, []string{"exactly one"}},
		"two":             {weir.Condition{Attribute: "country", Trait: "lifetime_value", At: at}, []string{"exactly one"}},
		"no child":        {weir.Condition{None: []weir.Condition{}, At: at}, []string{"at least one condition"}},
		"no comparison":   {weir.Condition{Attribute: "country", At: at}, []string{"compared with nothing"}},
		"stray window":    {weir.Condition{Attribute: "country", Compare: is("FR"), Within: time.Hour, At: at}, []string{"belong to an event"}},
		"stray compare":   {weir.Condition{IsEvent: true, Compare: is("1"), At: at}, []string{"takes no comparison"}},
		"negative window": {weir.Condition{IsEvent: true, Within: -time.Hour, At: at}, []string{"more than nothing"}},
		"endless window":  {weir.Condition{IsEvent: true, Within: 101 * 366 * 24 * time.Hour, At: at}, []string{"longer than 100 years"}},
		"count of what":   {weir.Condition{IsEvent: true, Count: []weir.Comparison{{Op: "exists", Values: []string{"true"}}}, At: at}, []string{"always is a count"}},
		"property":        {weir.Condition{IsEvent: true, Where: map[string][]weir.Comparison{"price": {{Op: "over", Values: []string{"1"}}}}, At: at}, []string{"property price"}},
		"each of several": {weir.Condition{All: []weir.Condition{
			{Attribute: "points", Compare: is("many"), At: at}, {Attribute: "birth_date", Compare: is("soon"), At: at},
		}}, []string{"no number", "no date"}},
	} {
		t.Run(name, func(t *testing.T) {
			errs := rule.Check(weir.SegmentDef{Name: "x", Where: c.where}, attributes, traits)
			if len(errs) != len(c.parts) {
				t.Fatalf("errors %v, want %d", errs, len(c.parts))
			}
			for i, err := range errs {
				if weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), c.parts[i]) {
					t.Errorf("error %v lacks %q", err, c.parts[i])
				}
				if name != "too deep" && !strings.HasPrefix(err.Error(), at+": ") {
					t.Errorf("error %v does not say where", err)
				}
			}
		})
	}
	if errs := rule.Check(weir.SegmentDef{Name: "x", Of: "household", Where: nested(1)}, attributes, traits); len(errs) != 1 {
		t.Errorf("of household: %v", errs)
	}
}

func TestDigest(t *testing.T) {
	def := weir.SegmentDef{Name: "x", Where: weir.Condition{All: []weir.Condition{
		{Trait: "lifetime_value", Compare: is("1"), At: "x.yaml:3"}, {Attribute: "country", Compare: is("FR")}}}}
	ltv := []weir.TraitDef{{Name: "lifetime_value", Aggregate: "sum", Field: "properties.revenue"}}
	base := rule.Digest(def, ltv, attributes, "UTC")
	same, other := def, def
	same.Name, same.Of, same.Categories = "y", weir.Person, []string{"health"}
	same.Where = weir.Condition{All: []weir.Condition{{Trait: "lifetime_value", Compare: is("1"), At: "y.yaml:4"}, {Attribute: "country", Compare: is("FR")}}}
	other.Where = weir.Condition{All: []weir.Condition{{Trait: "lifetime_value", Compare: is("2")}, {Attribute: "country", Compare: is("FR")}}}
	unused := append([]weir.TraitDef{{Name: "another"}}, ltv...)
	if got := rule.Digest(same, unused, attributes, "UTC"); got != base {
		t.Error("name, place, categories or an unused trait change the digest")
	}
	for what, got := range map[string]string{
		"operand":  rule.Digest(other, ltv, attributes, "UTC"),
		"trait":    rule.Digest(def, []weir.TraitDef{{Name: "lifetime_value", Aggregate: "max", Field: "properties.revenue"}}, attributes, "UTC"),
		"timezone": rule.Digest(def, ltv, attributes, "Europe/Paris"),
		"type":     rule.Digest(def, ltv, map[string]weir.AttributeType{"country": weir.Number}, "UTC"),
	} {
		if got == base {
			t.Errorf("a changed %s leaves the digest", what)
		}
	}
}
