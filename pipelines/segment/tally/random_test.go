package tally_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// compareTrait draws a comparison that the trait's values admit.
func (g gen) compareTrait(d weir.TraitDef) weir.Comparison {
	switch {
	case d.Aggregate == "list":
		if g.IntN(3) == 0 {
			return compare("exists", strconv.FormatBool(g.IntN(2) == 0))
		}
		return compare("contains", pick(g, append([]string{"12.50"}, texts...)), pick(g, texts))
	case d.Aggregate == "most_frequent" || d.Aggregate == "expression" && strings.Contains(d.Expression, "many"):
		return g.comparison(append([]string{"many"}, texts...), false, false)
	case d.Field == "occurred_at" && d.Aggregate != "count" && d.Aggregate != "distinct":
		return g.comparison(dates, true, true)
	case (d.Aggregate == "sum" || d.Aggregate == "avg" || d.Aggregate == "min" || d.Aggregate == "max") && d.Field == "properties.revenue" && g.IntN(3) == 0:
		d.Currency = "properties.currency"
	case (d.Aggregate == "first" || d.Aggregate == "last") && g.IntN(2) == 0:
		return g.comparison(texts, true, false)
	}
	return g.comparison(numbers, true, false)
}

// nows are the clocks of the random cases: a usual day, the first moment of a
// year, a Monday, a leap day's eve, days on which the clocks change in Paris.
var nows = []time.Time{
	time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC), time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC),
	time.Date(2026, 1, 12, 22, 59, 59, 0, time.UTC), time.Date(2024, 2, 28, 12, 0, 0, 0, time.UTC),
	time.Date(2025, 2, 27, 12, 0, 0, 0, time.UTC), time.Date(2026, 3, 28, 23, 30, 0, 0, time.UTC), time.Date(2025, 10, 26, 0, 30, 0, 0, time.UTC),
}

// TestAgainstOracle compares evaluator and oracle on random rules over random
// histories, events in random order.
func TestAgainstOracle(t *testing.T) {
	const cases = 110_000
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skipf("no time zones on this machine, install tzdata: %v", err)
	}
	g := gen{rand.New(rand.NewPCG(6, 37)), time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)}
	matched, done := 0, 0
	var crowd []person
	for done < cases {
		if g.now = nows[0]; g.IntN(2) == 0 {
			g.now = pick(g, nows)
		}
		w := world{profile: g.profile(), traits: map[string]weir.TraitDef{}, rules: map[string]weir.SegmentDef{}, types: caseTypes, now: g.now, zone: zone}
		d := tally.Definitions{AttributeTypes: caseTypes, Timezone: "Europe/Paris"}
		for i := range 3 {
			def := g.trait(fmt.Sprintf("t%d", i))
			d.Traits, w.traits[def.Name] = append(d.Traits, def), def
		}
		for _, def := range []weir.TraitDef{{Name: "n", Aggregate: "count", Field: "events"}, {Name: "s", Aggregate: "sum", Field: "properties.revenue"}} {
			d.Traits, w.traits[def.Name] = append(d.Traits, def), def
		}
		for i := range 3 {
			def := g.wide(fmt.Sprintf("w%d", i), d.Traits)
			d.Traits, w.traits[def.Name] = append(d.Traits, def), def
		}
		if g.IntN(2) == 0 {
			w.rates = []weir.Rate{{Currency: "USD", From: "2024-06-01", Rate: "0.92"}, {Currency: "USD", From: "2026-01-10", Rate: "0.851234567891"}}
			d.Rates = w.rates
		}
		g.Shuffle(len(d.Traits), func(i, j int) { d.Traits[i], d.Traits[j] = d.Traits[j], d.Traits[i] })
		var before []string
		for i := range 8 {
			d.Segments = append(d.Segments, weir.SegmentDef{Name: fmt.Sprintf("s%d", i), Where: g.condition(3, d.Traits, before...)})
			before = append(before, d.Segments[i].Name)
			w.rules[d.Segments[i].Name] = d.Segments[i]
		}
		g.Shuffle(len(d.Segments), func(i, j int) { d.Segments[i], d.Segments[j] = d.Segments[j], d.Segments[i] })
		for i := range g.IntN(12) {
			w.events = append(w.events, g.event(i))
		}
		plan, broken, err := tally.New(d)
		if err != nil {
			t.Fatal(err)
		}
		wrong := map[string]bool{}
		for _, b := range broken { // only ends of between in the wrong order, and what hangs on them
			wrong[b.Name] = true
			for _, reason := range b.Reasons() {
				if !strings.Contains(reason, "wrong order") && !strings.Contains(reason, "is broken itself") && !strings.Contains(reason, "is wrong itself") {
					t.Fatalf("a random rule is refused: %s", reason)
				}
			}
		}
		state := plan.NewState()
		for _, i := range g.Perm(len(w.events)) {
			e := plan.Event(&w.events[i])
			if done%3 == 0 || plan.Wants(e.Name, e.At, w.now) { // leaving out what is not wanted changes nothing
				plan.Add(state, &e, w.now)
			}
		}
		out := plan.Outcome(&w.profile, state, w.now)
		people := append(crowd, person{w.profile, w.events})
		checkCohort(t, plan, people, w.now, g.Perm)
		crowd = people[max(0, len(people)-2):] // meets other rules too
		for _, s := range d.Segments {
			if wrong[s.Name] {
				continue
			}
			done++
			want := w.holds(s.Where)
			if got := contains(out.Segments, s.Name); got != want {
				t.Fatalf("case %d: got %v, the oracle says %v\nrule %+v\ntraits %+v\nprofile %+v\nevents %+v", done, got, want, s.Where, d.Traits, w.profile, w.events)
			}
			if want {
				matched++
			}
		}
		checkTraits(t, w, d, out, wrong)
	}
	if matched < cases/5 || matched > cases*4/5 {
		t.Fatalf("%d of %d cases match: the cases test little", matched, done)
	}
}

func checkTraits(t *testing.T, w world, d tally.Definitions, out tally.Outcome, wrong map[string]bool) {
	t.Helper()
	rows := map[string]weir.TraitValue{}
	for _, r := range out.Traits {
		rows[r.Trait] = r
	}
	for _, def := range d.Traits {
		if wrong[def.Name] {
			continue
		}
		x, row := w.trait(def), rows[def.Name]
		same := x.known() == (row.Trait != "")
		switch {
		case !same || !x.known():
		case x.num != nil:
			same = rat(row.Number) != nil && rat(row.Number).Cmp(x.num) == 0
		case x.at != nil:
			same = row.Time.Equal(*x.at)
		case x.list != nil:
			same = slices.Equal(itemsOf(row.Text), x.list)
		default:
			same = row.Text == *x.text
		}
		if !same {
			t.Fatalf("trait %+v: got %+v, the oracle says %+v\nevents %+v", def, row, x, w.events)
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// TestChecked: what the generator draws is free of errors but for the ends of a
// between, so the oracle test skips nothing else.
func TestChecked(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(1, 1)), time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)}
	var traits []weir.TraitDef
	types := map[string]weir.AttributeType{}
	for _, name := range []string{"a", "b"} {
		d := weir.TraitDef{Name: name, Aggregate: "sum", Field: "properties.revenue"}
		traits, types[name] = append(traits, d), weir.Number
	}
	bad := 0
	for range 2000 {
		if errs := rule.Check(weir.SegmentDef{Name: "s", Where: g.condition(3, traits)}, caseTypes, types); len(errs) > 0 {
			bad++
		}
	}
	if bad > 600 {
		t.Fatalf("%d of 2000 random rules are refused", bad)
	}
}
