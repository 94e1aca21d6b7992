package stages

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/project"
)

var crowdTypes = map[string]weir.AttributeType{"email": weir.Text, "country": weir.Text, "birth_date": weir.Date, "points": weir.Number, "app": weir.Boolean, "joined": weir.Instant}

// crowd fills a town's tables with people of all kinds and events of one, several
// and no identifiers, some of which lead nowhere, to nobody known, or to several.
func crowd(t *testing.T, r *rand.Rand, n int) *town {
	w := newTown(t)
	w.Timelines = filepath.Join(t.TempDir(), "timelines")
	var profiles []weir.Profile
	owners := []weir.IdentifierOwner{{Kind: "email", Value: "shared@x.org", Ambiguous: true}, {Kind: "email", Value: "ghost@x.org", ProfileID: "p_never_made"}}
	for i := range n {
		p := weir.Profile{ID: fmt.Sprintf("p%04d", i), Kind: []weir.Kind{weir.Person, weir.Person, weir.Account, weir.Anonymous}[r.IntN(4)], Records: 1,
			Attributes: map[string]string{}, Identifiers: weir.Identifiers{}}
		for name, values := range map[string][]string{"email": {fmt.Sprintf("e%d@x.org", i)}, "country": {"FR", "BE", "élan"}, "birth_date": {"1990-01-02", "2012-03-04"},
			"points": {"12.5", "0", "-3", "1000000.25"}, "app": {"true", "false"}, "joined": {"2026-02-28T10:00:00Z", "2025-01-01T00:00:00.123456Z"}} {
			if r.IntN(4) > 0 {
				p.Attributes[name] = values[r.IntN(len(values))]
			}
		}
		p.Identifiers.Add("email", fmt.Sprintf("e%d@x.org", i))
		owners = append(owners, weir.IdentifierOwner{Kind: "email", Value: fmt.Sprintf("e%d@x.org", i), ProfileID: p.ID},
			weir.IdentifierOwner{Kind: "phone", Value: fmt.Sprintf("+%d", i), ProfileID: p.ID}, weir.IdentifierOwner{Kind: "cookie", Value: fmt.Sprintf("c%d", i), ProfileID: p.ID})
		profiles = append(profiles, p)
	}
	put(w.village, schema.Profiles(crowdTypes), weir.Unify, "", profiles...)
	put(w.village, schema.Records(crowdTypes), weir.Conform, "", weir.Record{ID: "town/people/1", Kind: weir.Person, Source: "town", Stream: "people"})
	putNamed(w.village, "identity.identifiers", weir.Resolve, owners...)
	var links []weir.AccountLink
	for range n {
		links = append(links, weir.AccountLink{ProfileID: profiles[r.IntN(n)].ID, AccountID: profiles[r.IntN(n)].ID, By: "email_domain", Value: []string{"a.org", "b.org"}[r.IntN(2)]})
	}
	links = append(links, weir.AccountLink{ProfileID: "p_never_made", AccountID: profiles[0].ID, By: "vat"}, links[0])
	for i := range links { // most lead from a person to an account
		for _, p := range profiles[r.IntN(n):] {
			if p.Kind == weir.Account && i%5 > 0 {
				links[i].AccountID = p.ID
				break
			}
		}
	}
	putNamed(w.village, "identity.accounts", weir.Resolve, links...)
	var events []weir.Event
	for i := range 6 * n {
		at := noon.Add(-time.Duration(r.IntN(60*24)-24) * time.Hour)
		e := weir.Event{ID: fmt.Sprintf("e%06d", r.IntN(1_000_000)*10+i%10), Name: []string{"Visited", "Order Completed", "Clicked"}[r.IntN(3)], OccurredAt: at, ReceivedAt: at,
			Identifiers: weir.Identifiers{}, Properties: map[string]string{}}
		for range r.IntN(4) {
			kind := []string{"email", "phone", "cookie"}[r.IntN(3)]
			value := map[string]string{"email": fmt.Sprintf("e%d@x.org", r.IntN(n+9)), "phone": fmt.Sprintf("+%d", r.IntN(n+9)), "cookie": fmt.Sprintf("c%d", r.IntN(n+9))}[kind]
			if r.IntN(10) == 0 {
				kind, value = "email", []string{"shared@x.org", "ghost@x.org"}[r.IntN(2)]
			}
			e.Identifiers.Add(kind, value)
		}
		if r.IntN(4) > 0 {
			e.Properties["revenue"] = []string{"10", "2.50", "-1", "free"}[r.IntN(4)]
		}
		if r.IntN(3) > 0 {
			e.Properties["it's odd"] = strconv.Itoa(r.IntN(3))
		}
		events = append(events, e)
	}
	putNamed(w.village, "core.events", weir.Conform, events...)
	return w
}

// crowdRules are rules of every kind, with random numbers.
func crowdRules(r *rand.Rand, round int) []weir.SegmentDef {
	compare := func(op string, values ...string) []weir.Comparison {
		return []weir.Comparison{{Op: op, Values: values}}
	}
	n := func(below int) string { return strconv.Itoa(r.IntN(below)) }
	days := func() time.Duration { return time.Duration(1+r.IntN(40)) * 24 * time.Hour }
	event := func(name string, more func(c *weir.Condition)) weir.Condition {
		c := weir.Condition{IsEvent: true, Event: name, Within: days()}
		more(&c)
		return c
	}
	all := []weir.Condition{
		{Attribute: "country", Compare: compare("in", "FR", "élan")}, {Attribute: "points", Compare: compare("at_least", n(15))},
		{Attribute: "app", Compare: compare("is", "true")}, {Attribute: "birth_date", Compare: compare("older_than", "18y")},
		{Attribute: "joined", Compare: compare("newer_than", n(9)+"d1h")}, {Attribute: "country", Compare: compare("exists", "false")},
		event("Visited", func(c *weir.Condition) { c.Count = compare("at_least", n(3)) }), event("", func(c *weir.Condition) { c.Count = compare("at_most", n(4)) }),
		event("Order Completed", func(c *weir.Condition) {
			c.Measures = []weir.Measure{{How: "sum", Of: "properties.revenue", Compare: compare("more_than", n(12))}}
		}),
		event("Order Completed", func(c *weir.Condition) {
			c.Measures = []weir.Measure{{How: "last", Of: "properties.revenue", Compare: compare("is", "2.5")}}
		}),
		event("Clicked", func(c *weir.Condition) { c.Which = "first" }), event("Clicked", func(c *weir.Condition) {
			c.Where = map[string][]weir.Comparison{"it's odd": compare("is", n(3))}
		}),
		event("Visited", func(c *weir.Condition) { c.Session = "true"; c.Count = compare("at_least", "2") }),
		{Sequence: &weir.Sequence{Steps: []weir.Step{{Event: "Visited"}, {Event: "Order Completed"}}, Span: "9d"}}, {Random: &weir.Random{Seed: n(9), To: "40"}},
		{Trait: "visits", Compare: compare("at_least", n(4))}, {IsEvent: true, Event: "Visited", Window: &weir.Window{During: "last 3 weeks"}},
	}
	var out []weir.SegmentDef
	for i := range all {
		s := weir.SegmentDef{Name: fmt.Sprintf("r%d_%d", round, i), Of: []weir.Kind{weir.Person, weir.Person, weir.Person, weir.Account}[r.IntN(4)]}
		if all[i].Trait != "" {
			s.Of = weir.Person
		}
		s.Where = all[i]
		if other := all[r.IntN(len(all))]; r.IntN(2) == 0 && (other.Trait == "" || s.Of == weir.Person) {
			s.Where = weir.Condition{Any: []weir.Condition{all[i], {None: []weir.Condition{other}}}}
		}
		out = append(out, s)
	}
	for i, how := range []string{"any", "all", "none", "", "any", "all"} {
		asks, asked := weir.Account, weir.Person
		if i%3 == 1 {
			asks, asked = asked, asks
		}
		where := all[r.IntN(len(all))]
		if of := out[r.IntN(len(all))]; of.Of == asked && r.IntN(2) == 0 {
			where = weir.Condition{Any: []weir.Condition{where, {Segment: of.Name}}}
		}
		c := weir.Condition{Related: &weir.Related{Kind: asked, How: how, Where: &where}}
		if how == "" {
			c.Related.Count = compare("between", "1", "2")
		}
		out = append(out, weir.SegmentDef{Name: fmt.Sprintf("r%d_linked%d", round, i), Of: asks, Where: c})
	}
	return append(out, weir.SegmentDef{Name: fmt.Sprintf("r%d_of", round), Of: out[0].Of, Where: weir.Condition{None: []weir.Condition{{Segment: out[0].Name}}}})
}

// TestALiveCountIsWhatARunWrites runs the segment stage on random rules and holds the
// counts of the timelines against what it wrote.
func TestALiveCountIsWhatARunWrites(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 6))
	w := crowd(t, r, 150)
	built := 0
	told := 0
	for round := range 3 {
		w.project.Segments = crowdRules(r, round)
		run := w.next()
		if _, err := w.pass(weir.Segment, "", run); err != nil {
			t.Fatal(err)
		}
		want := map[string]int64{}
		for _, m := range ledger[weir.Membership](w.world, "segment.memberships", "") {
			want[m.Segment]++
			told++
		}
		o := LiveOrder{Now: run.Now}
		for _, s := range w.project.Segments {
			o.Segments = append(o.Segments, s.Name)
		}
		v, err := w.CountLive(t.Context(), w.project, o, func(weir.Progress) { built++ })
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range v.Segments {
			if s.Members != want[s.Segment] {
				t.Errorf("%s: counted %d, a run wrote %d", s.Segment, s.Members, want[s.Segment])
			}
		}
	}
	if built != 4 || told < 1000 {
		t.Errorf("the timelines were built in %d steps, of %d memberships", built, told)
	}
}

// crowdCounts counts one unsaved rule.
func crowdCount(t *testing.T, w *town, where weir.Condition, o LiveOrder) (LiveCount, error) {
	t.Helper()
	o.Segments, o.Unsaved, o.Now = append([]string{"unsaved"}, o.Segments...), &weir.SegmentDef{Name: "unsaved", Of: weir.Person, Where: where}, noon
	return w.CountLive(t.Context(), w.project, o, nil)
}

func TestTimelinesFollowTheTables(t *testing.T) {
	w := crowd(t, rand.New(rand.NewPCG(1, 1)), 40)
	french := weir.Condition{Attribute: "country", Compare: []weir.Comparison{{Op: "is", Values: []string{"FR"}}}}
	before, err := crowdCount(t, w, french, LiveOrder{})
	if err != nil {
		t.Fatal(err)
	}
	put(w.village, schema.Profiles(crowdTypes), weir.Unify, "", weir.Profile{ID: "p_one", Kind: weir.Person, Attributes: map[string]string{"country": "FR"}, Identifiers: weir.Identifiers{}})
	after, err := crowdCount(t, w, french, LiveOrder{})
	if err != nil || after.Segments[0].Members != 1 || before.Segments[0].Members < 2 {
		t.Errorf("%+v, then %+v, %v", before.Segments, after.Segments, err)
	}
	kept, err := filepath.Glob(filepath.Join(w.Timelines, "*"))
	if err != nil || len(kept) != 1 {
		t.Errorf("kept are %v, %v", kept, err)
	}
	if err := os.Truncate(filepath.Join(kept[0], timelineProfilesFile), 100); err != nil {
		t.Fatal(err)
	}
	if _, err := crowdCount(t, w, french, LiveOrder{}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("cut off files: %v", err)
	}
	put[weir.Profile](w.village, schema.Profiles(crowdTypes), weir.Unify, "")
	if none, err := crowdCount(t, w, french, LiveOrder{}); err != nil || none.Profiles != 0 {
		t.Errorf("nobody: %+v, %v", none, err)
	}
	empty := newVillage(t)
	empty.Timelines = t.TempDir()
	if _, err := empty.CountLive(t.Context(), &project.Project{Segments: []weir.SegmentDef{{Name: "s"}}}, LiveOrder{Segments: []string{"s"}, Now: noon}, nil); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("an empty lake: %v", err)
	}
}

func TestTheSampleIsMaskedAndExplained(t *testing.T) {
	w := crowd(t, rand.New(rand.NewPCG(2, 2)), 60)
	rule := weir.Condition{All: []weir.Condition{{Attribute: "email", Compare: []weir.Comparison{{Op: "ends_with", Values: []string{"x.org"}}}},
		{Attribute: "country", Compare: []weir.Comparison{{Op: "in", Values: []string{"FR", "BE"}}}},
		{Attribute: "birth_date", Compare: []weir.Comparison{{Op: "older_than", Values: []string{"1d"}}}}, {IsEvent: true, Event: "Visited"}}}
	v, err := crowdCount(t, w, rule, LiveOrder{Sample: 3, Seed: "a", By: []string{"country"}, Segments: []string{"all"}})
	if err != nil || len(v.Sample) != 3 {
		t.Fatalf("%+v, %v", v, err)
	}
	sum := int64(0)
	for _, g := range v.By {
		sum += g.Members[0]
	}
	if sum != v.Segments[0].Members || len(v.Sets) != 3 || v.Sets[2].Members != v.Sets[2].Only {
		t.Errorf("%+v", v)
	}
	for _, m := range v.Sample {
		if !m.Why.Holds || m.Values["email"] != "e***@x.org" || !strings.HasSuffix(m.Values["birth_date"], "-**-**") || len(m.Values["country"]) != 2 {
			t.Errorf("%+v", m)
		}
		text := fmt.Sprintf("%+v", m)
		if strings.Contains(text, "1990-01-02") || strings.Contains(text, "2012-03-04") || len(m.Why.Children[0].Children[3].Events) == 0 {
			t.Errorf("not masked, or without events: %s", text)
		}
	}
	again, err := crowdCount(t, w, rule, LiveOrder{Sample: 3, Seed: "a", By: []string{"country"}, Segments: []string{"all"}})
	if d := cmp.Diff(v.Sample, again.Sample); err != nil || d != "" {
		t.Error(d, err)
	}
	if _, err := crowdCount(t, w, rule, LiveOrder{By: []string{"contry"}}); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("an attribute that is not there: %v", err)
	}
}
