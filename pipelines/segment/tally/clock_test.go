package tally_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
)

// told says whether the clock tells of a profile.
func told(c *tally.Clock, p *weir.Profile, events []weir.Event) (is bool) {
	is = c.All
	c.Attributes(func(name string, flips func(string) bool) { is = is || flips(p.Attributes[name]) })
	for i := range events {
		if moves := c.Moves(events[i].Name); moves != nil && moves(events[i].OccurredAt.UnixMicro()) {
			is = true
		}
	}
	return is
}

// keeps cuts an event to what Keeping wants of it; false: nothing.
func keeps(plan *tally.Plan, e *weir.Event, now time.Time) (timeline.Event, bool) {
	reading := plan.Keeping(e.Name, now)
	slots := reading.Slots(e.OccurredAt.UnixMicro())
	cut := plan.Event(e)
	for i := range cut.Properties {
		if slots != nil && !slots[i] {
			cut.Properties[i] = ""
		}
	}
	return cut, slots != nil
}

// TestClock: whom the clock does not tell of comes to the same at a later moment, and
// what is kept of the events at the earlier one is enough at the later one.
func TestClock(t *testing.T) {
	const cases = 20_000
	if _, err := time.LoadLocation("Europe/Paris"); err != nil {
		t.Skipf("no time zones on this machine, install tzdata: %v", err)
	}
	g := gen{rand.New(rand.NewPCG(29, 3)), nows[0]}
	var toldOf, same, all int
	for i := range cases {
		g.now = pick(g, nows)
		d := tally.Definitions{AttributeTypes: caseTypes, Timezone: "Europe/Paris"}
		for i := range 1 + g.IntN(3) {
			d.Traits = append(d.Traits, g.trait(fmt.Sprintf("t%d", i)))
		}
		if g.IntN(3) == 0 {
			d.Traits = append(d.Traits, weir.TraitDef{Name: "n", Aggregate: "count", Field: "events"}, weir.TraitDef{Name: "s", Aggregate: "sum", Field: "properties.revenue"})
			d.Traits = append(d.Traits, g.wide("w", d.Traits))
		}
		var before []string
		for i := range 1 + g.IntN(3) {
			d.Segments = append(d.Segments, weir.SegmentDef{Name: fmt.Sprintf("s%d", i), Where: g.condition(2, d.Traits, before...)})
			before = append(before, d.Segments[i].Name)
		}
		plan, _, err := tally.New(d)
		if err != nil {
			t.Fatal(err)
		}
		p, events := g.profile(), []weir.Event{}
		for i := range g.IntN(8) {
			events = append(events, g.event(i))
		}
		later := g.now.Add(pick(g, []time.Duration{time.Microsecond, time.Minute, 12 * time.Hour, 24 * time.Hour, 25 * time.Hour, 31 * 24 * time.Hour}))
		outcome := func(now time.Time) tally.Outcome {
			s := plan.NewState()
			for i := range events {
				e := plan.Event(&events[i])
				plan.Add(s, &e, now)
			}
			out := plan.Outcome(&p, s, now)
			out.Left = tally.Left{}
			return out
		}
		kept := plan.NewState()
		for i := range events {
			if e, is := keeps(plan, &events[i], g.now); is {
				plan.Add(kept, &e, later)
			}
		}
		first, second := outcome(g.now), outcome(later)
		third := plan.Outcome(&p, kept, later)
		if third.Left = (tally.Left{}); !reflect.DeepEqual(second, third) {
			t.Fatalf("case %d: of what is kept comes %+v, of all events %+v\nrules %+v\ntraits %+v\nevents %+v", i, third, second, d.Segments, d.Traits, events)
		}
		c := plan.Clock(g.now, later)
		if c.All {
			all++
		} else if told(c, &p, events) {
			toldOf++
		} else if same++; !reflect.DeepEqual(first, second) {
			t.Fatalf("case %d: the clock does not tell of %+v, which at %s comes to %+v and at %s to %+v\nrules %+v\ntraits %+v\nevents %+v",
				i, p, g.now, first, later, second, d.Segments, d.Traits, events)
		}
		if c := plan.Clock(later, later); told(c, &p, events) {
			t.Fatalf("case %d: the clock stands still, and yet it tells of a profile", i)
		}
	}
	if same < cases/5 || toldOf < cases/20 || all > cases/2 {
		t.Errorf("%d cases of all, %d told of, %d not: they test little", all, toldOf, same)
	}
}
