package segment

import (
	"context"

	"github.com/weir-cdp/weir/pipelines"
)

// own finds the profile of each identifier that an event carries.
func own(ctx context.Context, t *pipelines.Task) error {
	owners := map[identifier]string{}
	for o, err := range pipelines.Stream[ownerRow](ctx, t, "owners") {
		if err != nil {
			return err
		}
		owners[identifier{o.Kind, o.Value}] = o.Profile
	}
	for e, err := range pipelines.Stream[eventRow](ctx, t, "events") {
		if err != nil {
			return err
		}
		e.Profile = owners[identifier{e.Kind, e.Value}]
		if e.Profile == "" {
			t.Count("events_unowned", 1)
			continue
		}
		e.Kind, e.Value = "", ""
		if err := settle(t, e); err != nil {
			return err
		}
	}
	for c, err := range pipelines.Stream[claimRow](ctx, t, "claims") {
		if err != nil {
			return err
		}
		c.Profile = owners[identifier{c.Kind, c.Value}]
		if c.Profile == "" {
			continue
		}
		c.Kind, c.Value = "", ""
		if err := emit(t, "choose:claims", c.Event, c); err != nil {
			return err
		}
	}
	return nil
}

// choose gives each event with several identifiers to the profile of the
// strongest that leads to one.
func choose(ctx context.Context, t *pipelines.Task) error {
	best := map[string]claimRow{}
	for c, err := range pipelines.Stream[claimRow](ctx, t, "claims") {
		if err != nil {
			return err
		}
		if held, ok := best[c.Event]; !ok || c.Rank < held.Rank {
			best[c.Event] = c
		}
	}
	for e, err := range pipelines.Stream[eventRow](ctx, t, "events") {
		if err != nil {
			return err
		}
		if e.Profile = best[e.ID].Profile; e.Profile == "" {
			t.Count("events_unowned", 1)
			continue
		}
		if err := settle(t, e); err != nil {
			return err
		}
	}
	return nil
}

// settle sends an event on to those who count it for its profile.
func settle(t *pipelines.Task, e eventRow) error {
	scored, related, wanted := e.Scored, e.Related, e.For
	e.Scored, e.Related, e.For = nil, nil, 0
	if wanted&forTally != 0 {
		if err := emit(t, "compute:events", e.Profile, e); err != nil {
			return err
		}
	}
	if wanted&forRelated != 0 {
		again := e
		again.Properties = related
		if err := emit(t, "relate:events", e.Profile, again); err != nil {
			return err
		}
	}
	if wanted&forScores == 0 {
		return nil
	}
	e.Properties = scored
	return emit(t, "study:events", e.Profile, e)
}
