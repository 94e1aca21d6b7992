package segment

import (
	"context"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/membership"
)

// scatter reads a source file and sends its rows on their way.
func scatter(ctx context.Context, t *pipelines.Task) error {
	s, err := prepared(t)
	if err != nil {
		return err
	}
	if t.Partition() == 0 {
		if err := s.report(t); err != nil {
			return err
		}
		if err := s.askScores(t); err != nil {
			return err
		}
	}
	switch table, _, _ := t.Source(); table {
	case "core.profiles":
		return s.scatterProfiles(ctx, t)
	case "identity.identifiers":
		return s.scatterOwners(ctx, t)
	case "segment.memberships":
		return s.scatterPrior(ctx, t)
	case "core.events":
		return s.scatterEvents(ctx, t)
	case "core.traits":
		return s.scatterAnswers(ctx, t)
	case "identity.accounts":
		return s.scatterLinks(ctx, t)
	default:
		return weir.Errorf(weir.Internal, "segment does not read the table").At(table)
	}
}

// scatterProfiles sends the profiles, with the attributes that some rule reads, to be
// computed; whole ones are made for scores alone.
func (s *setup) scatterProfiles(ctx context.Context, t *pipelines.Task) error {
	want := func(column string) bool {
		return s.scores.Any() || column == "profile_id" || column == "kind" || s.attributes[column] ||
			s.related != nil && s.related.attributes[column]
	}
	for p, err := range pipelines.Chosen[weir.Profile](ctx, t, want, func(v *pipelines.View, chosen []bool) error {
		for i := range chosen {
			chosen[i] = s.scores.Any()
		}
		if s.related != nil {
			if err := s.related.scatterView(t, v); err != nil {
				return err
			}
		}
		return s.scatterView(t, v)
	}) {
		if err != nil {
			return err
		}
		if err := s.studyProfile(t, &p); err != nil {
			return err
		}
	}
	return nil
}

func (s *setup) scatterView(t *pipelines.Task, v *pipelines.View) error {
	id, err := v.Text("profile_id")
	if err != nil {
		return err
	}
	kind, err := v.Text("kind")
	if err != nil {
		return err
	}
	var attributes []func(row int) string
	for _, name := range s.names {
		text, err := v.Text(name)
		if err != nil {
			return err
		}
		attributes = append(attributes, text)
	}
	row, channel := memberRow{Values: make([]string, len(attributes))}, s.step+":profiles"
	var asked map[weir.Kind]bool
	if s.asked != nil {
		asked = s.asked.Kinds()
	}
	for i := range v.Rows() {
		row.ID, row.Kind = id(i), kind(i)
		if asked != nil && !asked[weir.Kind(row.Kind)] {
			continue
		}
		for j, text := range attributes {
			row.Values[j] = text(i)
		}
		if err := emit(t, channel, row.ID, row); err != nil {
			return err
		}
	}
	return nil
}

func (s *setup) scatterOwners(ctx context.Context, t *pipelines.Task) error {
	o, err := s.toldOwners(ctx, t)
	if err != nil {
		return err
	}
	if o != nil {
		return s.scatterRoster(ctx, t, o)
	}
	for o, err := range pipelines.Rows[weir.IdentifierOwner](ctx, t) {
		if err != nil {
			return err
		}
		if o.Ambiguous || o.ProfileID == "" {
			continue
		}
		row := ownerRow{Kind: o.Kind, Value: o.Value, Profile: o.ProfileID}
		if err := emit(t, "owners", identifier{o.Kind, o.Value}.key(), row); err != nil {
			return err
		}
	}
	return nil
}

// successors reads the merges since the last run: few, so each process holds
// them all.
func (s *setup) successors(ctx context.Context, t *pipelines.Task) (membership.Successors, error) {
	return pipelines.Shared(t, "successors", func() (membership.Successors, error) {
		var rows []weir.Merge
		if len(t.Spec().Inputs["identity.merges"]) == 0 {
			return membership.NewSuccessors(nil, time.Time{}), nil
		}
		for m, err := range pipelines.ScanInput[weir.Merge](ctx, t, "identity.merges") {
			if err != nil {
				return membership.Successors{}, err
			}
			if !m.At.Before(s.params.PriorNow) {
				rows = append(rows, m)
			}
		}
		return membership.NewSuccessors(rows, s.params.PriorNow), nil
	})
}

func (s *setup) scatterEvents(ctx context.Context, t *pipelines.Task) error {
	o, err := s.toldOwners(ctx, t)
	if err != nil {
		return err
	}
	if o != nil {
		return s.scatterBlocks(ctx, t, o)
	}
	now := t.Spec().Run.Now
	for e, err := range pipelines.Rows[weir.Event](ctx, t) {
		if err != nil {
			return err
		}
		if e.OccurredAt.After(now) {
			t.Count("events_later", 1)
			continue
		}
		row := eventRow{ID: e.ID, Name: e.Name, At: e.OccurredAt.UnixMicro()}
		if s.plan.Wants(e.Name, e.OccurredAt, now) {
			row.For, row.Properties = forTally, s.plan.Event(&e).Properties
		}
		if s.scores.Any() && s.scores.Wants(e.Name, e.OccurredAt) {
			row.For, row.Scored = row.For|forScores, s.scores.Event(&e).Properties
		}
		if s.related != nil && s.related.plan.Wants(e.Name, e.OccurredAt, now) {
			row.For, row.Related = row.For|forRelated, s.related.plan.Event(&e).Properties
		}
		if row.For == 0 {
			t.Count("events_unread", 1)
			continue
		}
		if err := s.scatterEvent(t, row, s.ordered(e.Identifiers)); err != nil {
			return err
		}
	}
	return nil
}

// scatterEvent sends an event to its one identifier; with several, the event
// waits at its own partition for the profiles that they lead to.
func (s *setup) scatterEvent(t *pipelines.Task, row eventRow, ids []identifier) error {
	switch len(ids) {
	case 0:
		t.Count("events_without_identifier", 1)
		return nil
	case 1:
		row.Kind, row.Value = ids[0].kind, ids[0].value
		return emit(t, "events", ids[0].key(), row)
	}
	if err := emit(t, "choose:events", row.ID, row); err != nil {
		return err
	}
	for rank, id := range ids {
		claim := claimRow{Event: row.ID, Rank: int32(rank), Kind: id.kind, Value: id.value}
		if err := emit(t, "claims", id.key(), claim); err != nil {
			return err
		}
	}
	return nil
}

// emit sends a row to the partition of a key.
func emit[T any](t *pipelines.Task, channel, key string, row T) error {
	return pipelines.Emit(t, channel, pipelines.PartitionOf(key, t.Spec().Partitions), row)
}
