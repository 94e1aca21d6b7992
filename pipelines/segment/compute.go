package segment

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/membership"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
)

// member is a profile of the partition and what its events have come to.
type member struct {
	profile weir.Profile
	state   *tally.State // nil: no event
}

// compute evaluates a partition of profiles.
func compute(ctx context.Context, t *pipelines.Task) error {
	s, err := prepared(t)
	if err != nil {
		return err
	}
	members, err := readProfiles(ctx, t)
	if err != nil {
		return err
	}
	if err := s.addEvents(ctx, t, members); err != nil {
		return err
	}
	if err := s.giveAnswers(ctx, t, members); err != nil {
		return err
	}
	status, err := s.giveScores(ctx, t, members)
	if err != nil {
		return err
	}
	matches, err := s.writeTraits(t, members)
	if err != nil {
		return err
	}
	in := membership.Input{Run: t.Spec().Run, Segments: status, Matches: matches,
		Alive: func(id string) bool { return members[id] != nil }}
	if in.Prior, err = readPrior(ctx, t, "prior"); err != nil {
		return err
	}
	if in.Handed, err = readPrior(ctx, t, "handed"); err != nil {
		return err
	}
	return writeMemberships(t, membership.Diff(in))
}

func readProfiles(ctx context.Context, t *pipelines.Task) (map[string]*member, error) {
	members := map[string]*member{}
	for row, err := range pipelines.Stream[profileRow](ctx, t, "profiles") {
		if err != nil {
			return nil, err
		}
		m := &member{profile: weir.Profile{ID: row.ID, Kind: weir.Kind(row.Kind), Attributes: make(map[string]string, len(row.Names))}}
		for i, name := range row.Names {
			m.profile.Attributes[name] = row.Values[i]
		}
		members[row.ID] = m
	}
	return members, nil
}

func (s *setup) addEvents(ctx context.Context, t *pipelines.Task, members map[string]*member) error {
	now := t.Spec().Run.Now
	for row, err := range pipelines.Stream[eventRow](ctx, t, "events") {
		if err != nil {
			return err
		}
		m := members[row.Profile]
		if m == nil { // identifiers of a profile that unify has not made
			t.Count("events_unowned", 1)
			continue
		}
		if m.state == nil {
			m.state = s.plan.NewState()
		}
		e := timeline.Event{ID: row.ID, Name: row.Name, At: time.UnixMicro(row.At).UTC(), Properties: row.Properties}
		s.plan.Add(m.state, &e, now)
	}
	return s.addBlocks(ctx, t, members)
}

// addBlocks adds the events that came by places of the roster.
func (s *setup) addBlocks(ctx context.Context, t *pipelines.Task, members map[string]*member) error {
	var places []*member
	for row, err := range pipelines.Stream[rosterRow](ctx, t, "roster") {
		if err != nil {
			return err
		}
		for int(row.Place) >= len(places) {
			places = append(places, nil)
		}
		if places[row.Place] == nil {
			places[row.Place] = members[row.Profile]
		}
	}
	now := t.Spec().Run.Now
	d := &timeline.Dictionary{Properties: make([]timeline.Texts, len(s.plan.Properties()))}
	var o opened
	var e timeline.Event
	for row, err := range pipelines.Stream[blockRow](ctx, t, "blocks") {
		if err == nil {
			err = o.open(&row, d)
		}
		if err != nil {
			return err
		}
		for i := range o.Len() {
			var m *member
			if place := int(o.Profiles[i]); place < len(places) {
				m = places[place]
			}
			if m == nil { // identifiers of a profile that unify has not made
				t.Count("events_unowned", 1)
				continue
			}
			if m.state == nil {
				m.state = s.plan.NewState()
			}
			o.Event(i, d, &e)
			s.plan.Add(m.state, &e, now)
		}
	}
	return nil
}

// writeTraits writes the partition's traits by profile and returns who matches.
func (s *setup) writeTraits(t *pipelines.Task, members map[string]*member) ([]membership.Match, error) {
	w, err := pipelines.Output[weir.TraitValue](t, "core.traits", "")
	if err != nil {
		return nil, err
	}
	var matches []membership.Match
	for _, id := range slices.Sorted(maps.Keys(members)) {
		m := members[id]
		out := s.plan.Outcome(&m.profile, m.state, t.Spec().Run.Now)
		for _, row := range out.Traits {
			if err := w.Write(row); err != nil {
				return nil, err
			}
		}
		for _, segment := range out.Segments {
			matches = append(matches, membership.Match{Segment: segment, Profile: id})
		}
		for name, n := range map[string]int64{"values_not_numbers": out.Skipped, "currencies_mixed": out.Mixed,
			"expressions_failed": out.Failed, "sequences_cut": out.Forgot} {
			if n > 0 {
				t.Count(name, n)
			}
		}
	}
	return matches, nil
}

func readPrior(ctx context.Context, t *pipelines.Task, channel string) ([]weir.Membership, error) {
	rows, err := pipelines.Read[priorRow](ctx, t, channel)
	out := make([]weir.Membership, 0, len(rows))
	for _, r := range rows {
		out = append(out, weir.Membership{Segment: r.Segment, ProfileID: r.Profile, EnteredAt: time.UnixMicro(r.EnteredAt).UTC()})
	}
	return out, err
}

func writeMemberships(t *pipelines.Task, out membership.Output) error {
	members, err := pipelines.Output[weir.Membership](t, "segment.memberships", "")
	if err != nil {
		return err
	}
	for _, m := range out.Members {
		if err := members.Write(m); err != nil {
			return err
		}
	}
	changes, err := pipelines.Output[weir.MembershipChange](t, "segment.changes", "")
	if err != nil {
		return err
	}
	for _, c := range out.Changes {
		t.Count(map[string]string{"enter": "entered", "exit": "exited"}[c.Change], 1)
		if err := changes.Write(c); err != nil {
			return err
		}
	}
	return nil
}
