package score_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/score"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const days = 24 * time.Hour

func definitions(scores ...weir.ScoreDef) tally.Definitions {
	d := tally.Definitions{
		Timezone:       "Europe/Paris",
		AttributeTypes: map[string]weir.AttributeType{"country": weir.Text, "birth_date": weir.Date},
		Segments: []weir.SegmentDef{
			{Name: "regular", Where: weir.Condition{Trait: "orders", Compare: []weir.Comparison{{Op: "at_least", Values: []string{"5"}}}}},
			{Name: "scored", Where: weir.Condition{Trait: "rfm_r", Compare: []weir.Comparison{{Op: "at_least", Values: []string{"5"}}}}},
		},
		Traits: []weir.TraitDef{
			{Name: "orders", Aggregate: "count", Field: "events", Event: "Order"},
			{Name: "visits_30d", Aggregate: "count", Field: "events", Event: "Visit", Within: 30 * days},
			{Name: "last_page", Aggregate: "last", Field: "properties.page", Event: "Visit"},
			{Name: "last_visit", Aggregate: "max", Field: "occurred_at", Event: "Visit"},
			{Name: "visits_an_order", Aggregate: "ratio", Ratio: []string{"visits_30d", "orders"}},
			{Name: "age", Aggregate: "since", Field: "attribute.birth_date"},
		},
	}
	for i := range scores {
		d.Traits = append(d.Traits, scores[i].Traits(weir.Person, nil)...)
	}
	return d
}

func all() []weir.ScoreDef {
	return []weir.ScoreDef{
		{Kind: "clv", Trait: "clv", Event: "Order", Value: "properties.revenue", Horizon: 60 * days, Discount: 0.01},
		{Kind: "rfm", Trait: "rfm", Event: "Order", Value: "properties.revenue", Order: "properties.order"},
		{Kind: "churn", Trait: "churn", Event: "Order", Horizon: 45 * days},
		{Kind: "propensity", Trait: "buys", Event: "Order", Horizon: 30 * days, Features: []string{"orders", "visits_30d", "last_page", "last_visit", "visits_an_order"}, Seed: 3},
		{Kind: "lookalike", Trait: "alike", Segment: "regular", Features: []string{"country", "birth_date", "visits_30d"}},
	}
}

type person struct {
	profile weir.Profile
	events  []weir.Event
}

// town has people of different habits: some buy often, some stop, some only visit.
func town(n int, seed uint64) []person {
	rng := rand.New(rand.NewPCG(seed, 2))
	var out []person
	for i := range n {
		p := person{profile: weir.Profile{ID: fmt.Sprintf("p%04d", i), Kind: weir.Person, Attributes: map[string]string{
			"country": []string{"FR", "DE", ""}[rng.IntN(3)], "birth_date": fmt.Sprintf("19%02d-05-17", 40+rng.IntN(60))}}}
		rate, stops := 0.01+rng.ExpFloat64()*0.02, rng.ExpFloat64()*200
		for at := rng.Float64() * 150; at < 220; at += rng.ExpFloat64() / rate {
			name := "Order"
			if rng.IntN(3) == 0 || at > stops+150 {
				name = "Visit"
			}
			p.events = append(p.events, weir.Event{ID: fmt.Sprint(p.profile.ID, len(p.events)), Name: name, OccurredAt: now.Add(-time.Duration((200 - at) * float64(days))),
				Properties: map[string]string{"revenue": fmt.Sprintf("%d.%02d", 5+rng.IntN(60), rng.IntN(100)), "page": []string{"home", "shoes", "hats"}[rng.IntN(3)], "order": fmt.Sprint(i, len(p.events))}})
		}
		out = append(out, p)
	}
	return out
}

func add(p *score.Plan, s *score.State, e *weir.Event) {
	if p.Wants(e.Name, e.OccurredAt) {
		cut := p.Event(e)
		p.Add(s, &cut)
	}
}

func results(p *score.Plan, town []person) (lessons, standings []score.Row) {
	for i := range town {
		s := p.NewState()
		for j := range town[i].events {
			add(p, s, &town[i].events[j])
		}
		r := p.Result(&town[i].profile, s)
		lessons, standings = append(lessons, r.Lessons...), append(standings, r.Standings...)
	}
	return lessons, standings
}

func of(rows []score.Row, i int) score.Lessons {
	return func() iter.Seq2[score.Row, error] {
		return func(yield func(score.Row, error) bool) {
			for _, r := range rows {
				if int(r.Score) == i && !yield(r, nil) {
					return
				}
			}
		}
	}
}

func plan(t *testing.T, now time.Time, scores ...weir.ScoreDef) *score.Plan {
	t.Helper()
	p, broken, err := score.New(definitions(scores...), now)
	if err != nil || len(broken) > 0 {
		t.Fatal(err, broken)
	}
	return p
}

// What a lesson of the past holds is what a run at the cut-off would have said of
// the profile, with nothing of what came later.
func TestLessonsKnowNothingOfTheFuture(t *testing.T) {
	people := town(300, 1)
	for _, def := range all()[2:4] {
		p := plan(t, now, def)
		then := now.Add(-def.Horizon)
		atThen := plan(t, then, def)
		lessons, _ := results(p, people)
		// The history as it was known at the cut-off.
		var past []person
		answers := map[string]bool{}
		for _, x := range people {
			y := person{profile: x.profile}
			after := false
			for _, e := range x.events {
				if !e.OccurredAt.After(then) {
					y.events = append(y.events, e)
				} else if e.Name == "Order" && !e.OccurredAt.After(now) {
					after = true
				}
			}
			answers[x.profile.ID] = after != (def.Kind == "churn")
			past = append(past, y)
		}
		_, standings := results(atThen, past)
		if len(lessons) < 100 || len(lessons) != len(standings) {
			t.Fatalf("%s: %d lessons, %d were to be scored at the cut-off", def.Kind, len(lessons), len(standings))
		}
		for i := range lessons {
			if lessons[i].Did != answers[lessons[i].Profile] {
				t.Errorf("%s of %s: %v", def.Kind, lessons[i].Profile, lessons[i].Did)
			}
			lessons[i].Did = false
			if fmt.Sprint(lessons[i]) != fmt.Sprint(standings[i]) {
				t.Fatalf("%s: lesson %v, at the cut-off %v", def.Kind, lessons[i], standings[i])
			}
		}
	}
}

func fitAll(t *testing.T, p *score.Plan, lessons []score.Row) []*score.Fitted {
	t.Helper()
	var out []*score.Fitted
	for i := range p.Len() {
		f, err := p.Fit(i, of(lessons, i))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

func said(t *testing.T, x any) string {
	t.Helper()
	text, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOrderOfEventsAndLessonsDoesNotMatter(t *testing.T) {
	people := town(900, 5)
	p := plan(t, now, all()...)
	lessons, standings := results(p, people)
	fitted := fitAll(t, p, lessons)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range people {
		rng.Shuffle(len(people[i].events), func(a, b int) {
			people[i].events[a], people[i].events[b] = people[i].events[b], people[i].events[a]
		})
	}
	other, others := results(p, people)
	if fmt.Sprint(standings) != fmt.Sprint(others) || fmt.Sprint(lessons) != fmt.Sprint(other) {
		t.Fatal("events in another order give other rows")
	}
	rng.Shuffle(len(other), func(a, b int) { other[a], other[b] = other[b], other[a] })
	for i, f := range fitAll(t, p, other) {
		if f.Refused != "" {
			t.Errorf("%s: %s", f.Trait, f.Refused)
		}
		if got, want := said(t, f), said(t, fitted[i]); got != want {
			t.Errorf("lessons in another order: %s\nnot %s", got, want)
		}
	}
}

func TestEverybodyIsScored(t *testing.T) {
	people := town(1500, 5)
	p := plan(t, now, all()...)
	lessons, standings := results(p, people)
	scorers := map[int32]*score.Scorer{}
	for i, f := range fitAll(t, p, lessons) {
		// As it goes from one task to another.
		again := &score.Fitted{}
		if err := json.Unmarshal([]byte(said(t, f)), again); err != nil || !reflect.DeepEqual(f, again) {
			t.Fatalf("%s is not the same after JSON: %v", f.Trait, err)
		}
		s, err := p.Scorer(again)
		if err != nil {
			t.Fatal(err)
		}
		scorers[int32(i)] = s
	}
	scored := map[string]map[string]bool{} // profiles by trait
	for i := range standings {
		for _, v := range scorers[standings[i].Score].Values(&standings[i]) {
			if scored[v.Trait] == nil {
				scored[v.Trait] = map[string]bool{}
			}
			scored[v.Trait][standings[i].Profile] = true
			if n, ok := v.Value.Number(); ok && strings.HasPrefix(n.String(), "-") && v.Trait != "rfm_monetary" {
				t.Errorf("%s of %s is %s", v.Trait, standings[i].Profile, n)
			}
		}
	}
	for _, d := range definitions(all()...).Traits {
		if d.Aggregate == weir.Score && len(scored[d.Name]) < 1000 {
			t.Errorf("%s is of %d profiles", d.Name, len(scored[d.Name]))
		}
	}
	// Who never ordered has no clv, rfm or churn.
	for _, x := range people {
		bought := slices.ContainsFunc(x.events, func(e weir.Event) bool { return e.Name == "Order" && !e.OccurredAt.After(now) })
		for _, trait := range []string{"clv", "rfm", "churn"} {
			if scored[trait][x.profile.ID] != bought {
				t.Errorf("%s of %s, who bought: %v", trait, x.profile.ID, bought)
			}
		}
	}
}

// Attributes are known as of now only: as features they would tell the future.
func TestBrokenScoresSayWhy(t *testing.T) {
	for want, def := range map[string]weir.ScoreDef{
		`"country" is no trait`:            {Kind: "churn", Trait: "x", Event: "Order", Horizon: 30 * days, Features: []string{"country"}},
		`reads the attribute "birth_date"`: {Kind: "churn", Trait: "x", Event: "Order", Horizon: 30 * days, Features: []string{"age"}},
		`"rfm" is no trait`:                {Kind: "churn", Trait: "x", Event: "Order", Horizon: 30 * days, Features: []string{"rfm"}},
		"looks no day ahead":               {Kind: "propensity", Trait: "x", Event: "Order"},
		"clv looks no day ahead":           {Kind: "clv", Trait: "x", Event: "Order", Value: "properties.revenue"},
		"clv has no value":                 {Kind: "clv", Trait: "x", Event: "Order", Horizon: 30 * days},
		"discount":                         {Kind: "clv", Trait: "x", Event: "Order", Value: "properties.revenue", Horizon: 30 * days, Discount: 7},
		`no segment "nobody"`:              {Kind: "lookalike", Trait: "x", Segment: "nobody"},
		"which is a score or is not there": {Kind: "lookalike", Trait: "x", Segment: "scored"},
		`no method "forest"`:               {Kind: "churn", Trait: "x", Event: "Order", Horizon: 30 * days, Method: "forest"},
		"neither an attribute nor a trait": {Kind: "lookalike", Trait: "x", Segment: "regular", Features: []string{"shoe_size"}},
		"longer than 100 years":            {Kind: "rfm", Trait: "x", Event: "Order", Value: "properties.revenue", Within: 101 * 366 * days},
	} {
		def.At = "traits/x.yaml:3"
		p, broken, err := score.New(definitions(append(all(), def)...), now)
		if err != nil || len(broken) == 0 || broken[0].Name != "x" || !strings.Contains(broken[0].Reasons()[0], want) {
			t.Errorf("%s: %v %v", want, broken, err)
			continue
		}
		if p.Len() != len(all()) {
			t.Errorf("%s: it takes others with it: %d are left", want, p.Len())
		}
	}
}

func TestTooLittleIsRefusedAndSaid(t *testing.T) {
	p := plan(t, now, all()...)
	lessons, _ := results(p, town(3, 1))
	for i := range p.Len() {
		f, err := p.Fit(i, of(nil, i))
		if err != nil || f.Refused == "" {
			t.Errorf("%s of nobody: %+v %v", p.Definition(i).Kind, f, err)
		}
		if f, err = p.Fit(i, of(lessons, i)); err != nil || f.Refused == "" && f.Kind != "rfm" && f.Kind != "clv" {
			t.Errorf("%s of three: %+v %v", p.Definition(i).Kind, f, err)
		}
	}
}

// A day is one of the workspace's calendar: 23:30 UTC is tomorrow in Paris.
func TestDaysAreTheWorkspaces(t *testing.T) {
	p := plan(t, now, all()[1])
	s := p.NewState()
	e := timeline.Event{ID: "1", Name: "Order", At: time.Date(2026, 2, 26, 23, 30, 0, 0, time.UTC)}
	full := weir.Event{ID: "1", Name: "Order", OccurredAt: e.At, Properties: map[string]string{"revenue": "3"}}
	add(p, s, &full)
	r := p.Result(&weir.Profile{ID: "p", Kind: weir.Person}, s)
	if len(r.Standings) != 1 || r.Standings[0].Numbers[0] != 2 {
		t.Errorf("%+v", r)
	}
}
