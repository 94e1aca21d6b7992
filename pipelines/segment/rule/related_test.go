package rule_test

import (
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
)

func people(how string, where *weir.Condition) weir.Condition {
	return weir.Condition{At: "segments/x.yaml:7", Related: &weir.Related{Kind: weir.Person, How: how, Where: where}}
}

// TestRelatedIsChecked: what is asked about linked profiles is checked like all else.
func TestRelatedIsChecked(t *testing.T) {
	french := &weir.Condition{Attribute: "country", Compare: is("FR"), At: "segments/x.yaml:8"}
	accounts := weir.Condition{At: "segments/x.yaml:8", Related: &weir.Related{Kind: weir.Account, How: "any"}}
	number := func(op, v string) weir.Condition {
		return weir.Condition{At: "segments/x.yaml:7", Related: &weir.Related{Kind: weir.Person, Count: []weir.Comparison{{Op: op, Values: []string{v}}}}}
	}
	for name, c := range map[string]struct {
		of    weir.Kind
		where weir.Condition
		part  string // of the one error; "": none
	}{
		"any":              {weir.Account, people("any", french), ""},
		"anybody":          {weir.Account, people("none", nil), ""},
		"accounts":         {weir.Person, accounts, ""},
		"number":           {weir.Account, number("at_least", "2"), ""},
		"segment within":   {weir.Account, people("all", &weir.Condition{Segment: "french", At: "segments/x.yaml:8"}), ""},
		"no number":        {weir.Account, number("at_least", "many"), "segments/x.yaml:7: segment x: how many fit"},
		"always a number":  {weir.Account, number("exists", "true"), "there always is a count"},
		"some":             {weir.Account, people("some", french), `any, all, none or a number of them fit, not "some"`},
		"nothing":          {weir.Account, people("", french), "any, all, none or a number"},
		"people of people": {weir.Person, people("any", french), "an account has people, and this segment is of kind person"},
		"accounts of one":  {weir.Account, accounts, "a person has accounts, and this segment is of kind account"},
		"other profiles":   {weir.Account, weir.Condition{At: "segments/x.yaml:7", Related: &weir.Related{Kind: weir.Anonymous, How: "any"}}, `not about "anonymous"`},
		"within":           {weir.Account, people("any", &weir.Condition{Attribute: "contry", Compare: is("FR"), At: "segments/x.yaml:8"}), "segments/x.yaml:8: segment x: there is no attribute \"contry\""},
		"nested":           {weir.Account, people("any", &weir.Condition{All: []weir.Condition{accounts}}), "segments/x.yaml:8: segment x: conditions about people and accounts don't nest"},
		"nested by name":   {weir.Account, people("any", &weir.Condition{Segment: "employed", At: "segments/x.yaml:8"}), "segments/x.yaml:8: segment x: segment employed asks about people or accounts itself"},
		"kind within":      {weir.Account, people("any", &weir.Condition{Segment: "firms", At: "segments/x.yaml:8"}), "segment firms is of kind account, and this one of kind person"},
		"circle":           {weir.Account, people("any", &weir.Condition{Segment: "round", At: "segments/x.yaml:8"}), "segments depend on each other: x → round → x"},
	} {
		t.Run(name, func(t *testing.T) {
			defs := []weir.SegmentDef{{Name: "x", Of: c.of, Where: c.where}, {Name: "french", Where: *french},
				{Name: "employed", Where: weir.Condition{Any: []weir.Condition{accounts}}},
				{Name: "firms", Of: weir.Account, Where: *french},
				{Name: "round", Where: weir.Condition{Related: &weir.Related{Kind: weir.Account, How: "any", Where: &weir.Condition{Segment: "x"}}}}}
			b := rule.NewBook(rule.Schema{Attributes: attributes, Traits: traits})
			b.Declare(defs)
			r, errs := b.Compile(defs[0])
			if c.part == "" {
				if len(errs) > 0 || !r.Relations() || len(b.Relations()) != 1 || len(b.Filters()) > 0 {
					t.Fatalf("%v, %+v", errs, b.Relations())
				}
				return
			}
			if len(errs) != 1 || !strings.Contains(errs[0].Error(), c.part) {
				t.Fatalf("%v, want %s", errs, c.part)
			}
		})
	}
}

// TestRelatedIsInTheDigest: what is asked about others changes a segment's digest,
// where it stands does not.
func TestRelatedIsInTheDigest(t *testing.T) {
	of := func(country, at string) string {
		where := people("any", &weir.Condition{Any: []weir.Condition{{Attribute: "country", Compare: is(country), At: at}, {Segment: "rich"}}})
		rich := weir.SegmentDef{Name: "rich", Where: weir.Condition{Trait: "lifetime_value", Compare: is("1")}}
		return rule.NewSurroundings([]weir.SegmentDef{rich}, nil, attributes, "UTC").Digest(weir.SegmentDef{Name: "x", Of: weir.Account, Where: where})
	}
	if of("FR", "a:1") != of("FR", "a:2") || of("FR", "a:1") == of("DE", "a:1") {
		t.Error("the digest does not follow what is asked about others")
	}
}

// TestEqualQuestionsAreOne, unless a share of theirs goes by the segment's name.
func TestEqualQuestionsAreOne(t *testing.T) {
	b := rule.NewBook(rule.Schema{Attributes: attributes, Traits: traits})
	share := &weir.Condition{Random: &weir.Random{To: "10"}}
	french := func(at string) *weir.Condition {
		return &weir.Condition{Attribute: "country", Compare: is("FR"), At: at}
	}
	var defs []weir.SegmentDef
	for name, where := range map[string]weir.Condition{"a": people("any", french("a")), "b": people("all", french("b")), "c": people("any", share), "d": people("any", share)} {
		defs = append(defs, weir.SegmentDef{Name: name, Of: weir.Account, Where: where})
	}
	b.Declare(defs)
	for _, d := range defs {
		if _, errs := b.Compile(d); len(errs) > 0 {
			t.Fatal(errs)
		}
	}
	if n := len(b.Relations()); n != 3 {
		t.Errorf("%d questions, want 3", n)
	}
}
