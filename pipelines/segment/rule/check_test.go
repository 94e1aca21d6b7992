package rule_test

import (
	"fmt"
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
		"stray window":    {weir.Condition{Attribute: "country", Compare: is("FR"), Within: time.Hour, At: at}, []string{"belong to an event or a sequence"}},
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
	base := digestOf(def, ltv, attributes, "UTC")
	same, other := def, def
	same.Name, same.Of, same.Categories = "y", weir.Person, []string{"health"}
	same.Where = weir.Condition{All: []weir.Condition{{Trait: "lifetime_value", Compare: is("1"), At: "y.yaml:4"}, {Attribute: "country", Compare: is("FR")}}}
	other.Where = weir.Condition{All: []weir.Condition{{Trait: "lifetime_value", Compare: is("2")}, {Attribute: "country", Compare: is("FR")}}}
	unused := append([]weir.TraitDef{{Name: "another"}}, ltv...)
	if got := digestOf(same, unused, attributes, "UTC"); got != base {
		t.Error("name, place, categories or an unused trait change the digest")
	}
	for what, got := range map[string]string{
		"operand":  digestOf(other, ltv, attributes, "UTC"),
		"trait":    digestOf(def, []weir.TraitDef{{Name: "lifetime_value", Aggregate: "max", Field: "properties.revenue"}}, attributes, "UTC"),
		"timezone": digestOf(def, ltv, attributes, "Europe/Paris"),
		"type":     digestOf(def, ltv, map[string]weir.AttributeType{"country": weir.Number}, "UTC"),
	} {
		if got == base {
			t.Errorf("a changed %s leaves the digest", what)
		}
	}
}

func digestOf(def weir.SegmentDef, traits []weir.TraitDef, attributes map[string]weir.AttributeType, timezone string) string {
	return rule.NewSurroundings(nil, traits, attributes, timezone).Digest(def)
}

// TestDigestFollowsNamedSegments, over any number of steps; a circle has an end.
func TestDigestFollowsNamedSegments(t *testing.T) {
	of := func(country string) string {
		defs := []weir.SegmentDef{
			{Name: "a", Where: weir.Condition{Segment: "b"}}, {Name: "b", Where: weir.Condition{None: []weir.Condition{{Segment: "c"}}}},
			{Name: "c", Where: weir.Condition{Attribute: "country", Compare: is(country)}},
			{Name: "x", Where: weir.Condition{Segment: "y"}}, {Name: "y", Where: weir.Condition{Segment: "x"}},
		}
		s := rule.NewSurroundings(defs, nil, attributes, "UTC")
		return s.Digest(defs[0]) + s.Digest(defs[3])[:0]
	}
	if fr := of("FR"); fr == of("DE") || fr != of("FR") {
		t.Error("a segment's digest does not follow the segments that it names")
	}
}

func TestSegmentsOfSegments(t *testing.T) {
	member := func(name string) weir.Condition { return weir.Condition{Segment: name, At: name + ".yaml:1"} }
	french := weir.Condition{Attribute: "country", Compare: is("FR")}
	for name, c := range map[string]struct {
		defs []weir.SegmentDef
		part string // of the error of the first; "": it is good
	}{
		"one":           {[]weir.SegmentDef{{Name: "a", Where: member("b")}, {Name: "b", Where: french}}, ""},
		"itself":        {[]weir.SegmentDef{{Name: "a", Where: member("a")}}, "depend on each other: a → a"},
		"circle":        {[]weir.SegmentDef{{Name: "a", Where: member("b")}, {Name: "b", Where: member("c")}, {Name: "c", Where: member("a")}}, "a → b → c → a"},
		"to a circle":   {[]weir.SegmentDef{{Name: "a", Where: member("b")}, {Name: "b", Where: member("b")}}, "segment b, which this one asks for, is wrong itself"},
		"nearest":       {[]weir.SegmentDef{{Name: "a", Where: member("vip")}, {Name: "vips", Where: french}}, "did you mean vips?"},
		"broken":        {[]weir.SegmentDef{{Name: "a", Where: member("b")}, {Name: "b"}}, "is wrong itself"},
		"twice":         {[]weir.SegmentDef{{Name: "a", Where: member("b")}, {Name: "b", Where: french}, {Name: "b", Where: french}}, "is wrong itself"},
		"another kind":  {[]weir.SegmentDef{{Name: "a", Where: member("b")}, {Name: "b", Of: weir.Account, Where: french}}, "of kind account, and this one of kind person"},
		"no percent":    {[]weir.SegmentDef{{Name: "a", Where: weir.Condition{Random: &weir.Random{To: "x"}}}}, "percent is a number from 0 to 100"},
		"101 percent":   {[]weir.SegmentDef{{Name: "a", Where: weir.Condition{Random: &weir.Random{To: "100.1"}}}}, "percent is a number from 0 to 100"},
		"share of none": {[]weir.SegmentDef{{Name: "a", Where: weir.Condition{Random: &weir.Random{From: "10", To: "10"}}}}, "is nobody"},
	} {
		b := rule.NewBook(rule.Schema{Attributes: attributes})
		b.Declare(c.defs)
		_, errs := b.Compile(c.defs[0])
		if (c.part == "") != (len(errs) == 0) || len(errs) > 0 && !strings.Contains(errs[0].Error(), c.part) {
			t.Errorf("%s: %v, want %q", name, errs, c.part)
		}
	}
}

// TestDeepSegments: each of 60 segments asks twice for the next. Without memory
// of what was asked this would take 2^60 steps.
func TestDeepSegments(t *testing.T) {
	b := rule.NewBook(rule.Schema{Attributes: attributes})
	var defs []weir.SegmentDef
	for i := range 60 {
		next := weir.Condition{Segment: fmt.Sprintf("s%d", i+1)}
		defs = append(defs, weir.SegmentDef{Name: fmt.Sprintf("s%d", i), Where: weir.Condition{Any: []weir.Condition{next, next}}})
	}
	defs = append(defs, weir.SegmentDef{Name: "s60", Where: weir.Condition{Attribute: "country", Compare: is("FR")}})
	b.Declare(defs)
	r, errs := b.Compile(defs[0])
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for country, want := range map[string]bool{"FR": true, "DE": false} {
		if r.Matches(&rule.Subject{Kind: weir.Person, Attributes: map[string]string{"country": country}}) != want {
			t.Errorf("%s: not %v", country, want)
		}
	}
}

// TestPosition: the split of a seed is pinned (people must not change sides
// with a new version), even, and another for another seed.
func TestPosition(t *testing.T) {
	if got := rule.Position("winter", "p_1"); got != 52632568286 {
		t.Errorf("p_1 of winter is at %d", got)
	}
	var winter, both int
	for i := range 20_000 {
		id := fmt.Sprintf("p_%d", i)
		w, s := rule.Position("winter", id) < 10_000_000_000, rule.Position("summer", id) < 10_000_000_000
		if w {
			winter++
		}
		if w && s {
			both++
		}
	}
	// 10 % and 1 % of 20,000, within 5 standard deviations of a binomial law.
	if winter < 1788 || winter > 2212 || both < 130 || both > 270 {
		t.Errorf("%d in 10 %% of a seed, %d in 10 %% of two", winter, both)
	}
}
