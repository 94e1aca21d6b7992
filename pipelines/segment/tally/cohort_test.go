package tally_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
)

// person is one of a cohort.
type person struct {
	profile weir.Profile
	events  []weir.Event
}

// together evaluates people as a cohort, events in the order of a permutation in
// blocks of a few, and gives each one's outcome.
func together(plan *tally.Plan, people []person, now time.Time, order func(n int) []int) ([]tally.Outcome, tally.Left) {
	columns := cohort(plan, people, now, order).Outcome()
	return outcomes(people, columns), columns.Left
}

// cohort gives a plan people with their events.
func cohort(plan *tally.Plan, people []person, now time.Time, order func(n int) []int) *tally.Cohort {
	profiles := &tally.Profiles{}
	for _, p := range people {
		profiles.IDs, profiles.Kinds = append(profiles.IDs, p.profile.ID), append(profiles.Kinds, p.profile.Kind)
	}
	type placed struct {
		place int32
		event *weir.Event
	}
	var all []placed
	for i, p := range people {
		for _, name := range slices.Sorted(maps.Keys(p.profile.Attributes)) {
			profiles.Set(i, name, p.profile.Attributes[name])
		}
		for j := range p.events {
			all = append(all, placed{int32(i), &p.events[j]})
		}
	}
	c := plan.Cohort(profiles, now)
	perm := order(len(all))
	for part := range slices.Chunk(perm, 5) {
		b := &timeline.Block{Properties: make([][]uint32, len(plan.Properties()))}
		for _, i := range part {
			e := plan.Event(all[i].event)
			reading := plan.Reading(e.Name, now)
			slots := reading.Slots(e.At.UnixMicro())
			if slots == nil {
				continue
			}
			b.Profiles, b.At = append(b.Profiles, all[i].place), append(b.At, e.At.UnixMicro())
			b.Names = append(b.Names, c.Texts().Names.Code(e.Name))
			b.IDs += e.ID
			b.IDEnds = append(b.IDEnds, uint32(len(b.IDs)))
			for slot, text := range e.Properties {
				if !slots[slot] {
					text = ""
				}
				b.Properties[slot] = append(b.Properties[slot], c.Texts().Properties[slot].Code(text))
			}
		}
		c.Add(b)
	}
	return c
}

// outcomes are what each of them came to.
func outcomes(people []person, columns tally.Columns) []tally.Outcome {
	out := make([]tally.Outcome, len(people))
	for i := range people {
		for _, t := range columns.Traits {
			if row, known := trait.Row(people[i].profile.ID, t.Name, t.At(i)); known {
				out[i].Traits = append(out[i].Traits, row)
			}
		}
		for _, s := range columns.Segments {
			if s.Has(i) {
				out[i].Segments = append(out[i].Segments, s.Name)
			}
		}
	}
	return out
}

// alone evaluates one of them.
func alone(plan *tally.Plan, p person, now time.Time) tally.Outcome {
	state := plan.NewState()
	for i := range p.events {
		e := plan.Event(&p.events[i])
		plan.Add(state, &e, now)
	}
	return plan.Outcome(&p.profile, state, now)
}

// checkCohort: a cohort comes to what its profiles come to alone.
func checkCohort(t *testing.T, plan *tally.Plan, people []person, now time.Time, order func(n int) []int) {
	t.Helper()
	got, left := together(plan, people, now, order)
	var want tally.Left
	for i, p := range people {
		one := alone(plan, p, now)
		if !slices.Equal(got[i].Segments, one.Segments) || !reflect.DeepEqual(got[i].Traits, one.Traits) {
			t.Fatalf("%s: as one of a cohort %+v\nalone %+v\nevents %+v", p.profile.ID, got[i], one, p.events)
		}
		want.Skipped, want.Mixed, want.Failed, want.Forgot = want.Skipped+one.Skipped, want.Mixed+one.Mixed, want.Failed+one.Failed, want.Forgot+one.Forgot
	}
	if left != want {
		t.Fatalf("the cohort left %+v, its profiles %+v", left, want)
	}
}
