package stages

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
)

// DecisionPreview is what would become of the tables.
type DecisionPreview struct {
	Decision Draft `json:"decision"`
	// Pending says that other changes wait for the next run too: what is shown is
	// all that it would do.
	Pending     bool               `json:"pending"`
	Moved       int64              `json:"moved"` // records that change profiles
	Moves       []weir.RecordMove  `json:"moves"` // the first of them
	Profiles    []ProfileEffect    `json:"profiles"`
	More        int64              `json:"more_profiles,omitempty"` // that are not shown
	Identifiers []IdentifierEffect `json:"identifiers"`
	Events      []EventEffect      `json:"events"`
	// Refused are the constraints that keep records of a link apart all the same.
	Refused []string `json:"refused,omitempty"`
}

// ProfileEffect is what would become of one profile.
type ProfileEffect struct {
	ProfileID string         `json:"profile_id"`
	State     string         `json:"state"` // new, gone, stays
	Into      string         `json:"into,omitempty"`
	Records   [2]int64       `json:"records"` // before and after
	Fields    []FieldEffect  `json:"fields"`
	Segments  []SegmentShift `json:"segments"`
}

// FieldEffect is a field of a golden record before and after.
type FieldEffect struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// SegmentShift is a membership that would begin or end.
type SegmentShift struct {
	Segment string `json:"segment"`
	Change  string `json:"change"` // enter, exit
}

// IdentifierEffect is a value that would lead elsewhere; "" is nowhere.
type IdentifierEffect struct {
	Kind   string `json:"kind"`
	Value  string `json:"value"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// EventEffect counts events that would go from one profile to another; "" is
// nobody's.
type EventEffect struct {
	From   string `json:"from_profile_id"`
	To     string `json:"to_profile_id"`
	Events int64  `json:"events"`
}

// How much a preview shows.
const (
	movesShown       = 200
	profilesShown    = 20
	identifiersShown = 200
)

// PreviewDecision computes what a draft would change, by running resolve, unify and
// segment on the current tables without committing anything. It reads all records:
// it takes as long as those stages do. Progress may be nil.
func (h *House) PreviewDecision(ctx context.Context, p *project.Project, d Draft, progress func(weir.Stage, weir.Progress)) (v DecisionPreview, err error) {
	v = DecisionPreview{Decision: d, Moves: []weir.RecordMove{}, Profiles: []ProfileEffect{}, Identifiers: []IdentifierEffect{}, Events: []EventEffect{}}
	r, pending, err := h.rehearse(ctx, p, weir.Run{Workspace: p.Name, ID: weir.RunID("preview-" + d.ID)})
	if err != nil {
		return v, err
	}
	defer func() {
		if e := r.end(ctx); err == nil {
			err = e
		}
	}()
	v.Pending, r.extra = pending, d.rows
	if err := r.playAll(ctx, progress, weir.Resolve); err != nil {
		return v, err
	}
	if quiet, err := v.resolved(ctx, r); err != nil || quiet {
		return v, err
	}
	if err := r.playAll(ctx, progress, weir.Unify, weir.Segment); err != nil {
		return v, err
	}
	return v, v.golden(ctx, r)
}

// resolved tells which records, identifiers and events move; quiet if none does.
func (v *DecisionPreview) resolved(ctx context.Context, r *rehearsal) (quiet bool, err error) {
	q, err := r.ask(ctx, []string{"identity.links", "identity.identifiers"}, "identity.edges", "core.events")
	if err != nil {
		return false, err
	}
	defer q.close()
	if v.Refused, err = q.refused(ctx, v.Decision); err != nil {
		return false, err
	}
	moved := "from was.identity_links b join identity.links a using (record_id) where a.profile_id <> b.profile_id"
	n, err := decoded[int64](ctx, q, "select count(*)::varchar "+moved)
	if err != nil {
		return false, err
	}
	v.Moved = n[0]
	row := fieldsJSON([2]string{"record_id", "record_id"}, [2]string{"from_profile_id", "b.profile_id"}, [2]string{"to_profile_id", "a.profile_id"})
	if v.Moves, err = decoded[weir.RecordMove](ctx, q, "select "+row+" "+moved+" order by record_id limit ?", movesShown); err != nil {
		return false, err
	}
	row = fieldsJSON([2]string{"kind", "kind"}, [2]string{"value", "value"}, [2]string{"before", "coalesce(b.profile_id, '')"}, [2]string{"after", "coalesce(a.profile_id, '')"})
	if v.Identifiers, err = decoded[IdentifierEffect](ctx, q, "select "+row+` from was.identity_identifiers b full join identity.identifiers a using (kind, value)
		where coalesce(a.profile_id, '') <> coalesce(b.profile_id, '') order by kind, value limit ?`, identifiersShown); err != nil {
		return false, err
	}
	if v.Moved == 0 && len(v.Identifiers) == 0 {
		return true, nil
	}
	v.Events, err = q.eventShifts(ctx, r.project.IdentifierKinds())
	return false, err
}

// refused finds what keeps the records of a link apart.
func (q *asking) refused(ctx context.Context, d Draft) ([]string, error) {
	if d.Change != weir.DecidedTogether {
		return nil, nil
	}
	text, err := json.Marshal(d.Stays)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "records: %w", err)
	}
	return q.column(ctx, `select distinct refused_by from identity.edges where rule = 'linked' and not used
		and left_record_id in (select unnest(cast(?::json as varchar[]))) and right_record_id in (select unnest(cast(?::json as varchar[]))) order by 1`, string(text), string(text))
}

// eventShifts counts the events whose profile changes.
func (q *asking) eventShifts(ctx context.Context, order []string) ([]EventEffect, error) {
	kinds, err := json.Marshal(order)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "identifier kinds: %w", err)
	}
	owner := func(table string) string {
		return `(select c.event_id, i.profile_id from claims c semi join near using (event_id)
			join ` + table + ` i on i.kind = c.kind and i.value = c.value and not i.ambiguous and i.profile_id <> ''
			qualify row_number() over (partition by c.event_id order by
				coalesce(nullif(list_position(cast(?::json as varchar[]), c.kind), 0), 1000000), c.kind, c.value) = 1)`
	}
	row := fieldsJSON([2]string{"from_profile_id", "was_of"}, [2]string{"to_profile_id", "now_of"}, [2]string{"events", "count(*)"})
	return decoded[EventEffect](ctx, q, `with moved as (select kind, value from was.identity_identifiers b full join identity.identifiers a using (kind, value)
			where coalesce(a.profile_id, '') <> coalesce(b.profile_id, '')),
		claims as (select event_id, e.key as kind, unnest(e.value) as value from (select event_id, unnest(map_entries(identifiers)) as e from core.events)),
		near as (select distinct event_id from claims join moved using (kind, value)),
		shifts as (select coalesce(b.profile_id, '') as was_of, coalesce(a.profile_id, '') as now_of
			from near left join `+owner("was.identity_identifiers")+` b using (event_id) left join `+owner("identity.identifiers")+` a using (event_id))
		select `+row+` from shifts where was_of <> now_of group by was_of, now_of order by was_of, now_of`, string(kinds), string(kinds))
}

// golden tells what becomes of the profiles that lose or gain something.
func (v *DecisionPreview) golden(ctx context.Context, r *rehearsal) error {
	after, err := r.ask(ctx, []string{"identity.links", "segment.memberships"}, "core.profiles", "identity.merges")
	if err != nil {
		return err
	}
	defer after.close()
	before, err := r.house.ask(ctx, "core.profiles")
	if err != nil {
		return err
	}
	defer before.close()
	touched, err := v.touched(ctx, after)
	if err != nil {
		return err
	}
	v.More = int64(max(0, len(touched)-profilesShown))
	for _, id := range touched[:min(len(touched), profilesShown)] {
		e, err := after.effect(ctx, before, id)
		if err != nil {
			return err
		}
		if e.State == "gone" {
			for _, m := range v.Moves {
				if m.From == id {
					e.Into = m.To
					break
				}
			}
		}
		v.Profiles = append(v.Profiles, e)
	}
	return nil
}

// touched lists the profiles that lose or gain records, identifiers or events.
func (v *DecisionPreview) touched(ctx context.Context, q *asking) ([]string, error) {
	ids := map[string]bool{}
	found, err := q.column(ctx, `select distinct unnest([b.profile_id, a.profile_id]) from was.identity_links b join identity.links a using (record_id) where a.profile_id <> b.profile_id`)
	for _, id := range found {
		ids[id] = true
	}
	for _, i := range v.Identifiers {
		ids[i.Before], ids[i.After] = true, true
	}
	for _, e := range v.Events {
		ids[e.From], ids[e.To] = true, true
	}
	delete(ids, "")
	return slices.Sorted(maps.Keys(ids)), err
}

// effect compares a profile with what it was.
func (q *asking) effect(ctx context.Context, before *asking, id string) (ProfileEffect, error) {
	e := ProfileEffect{ProfileID: id, State: "stays", Fields: []FieldEffect{}, Segments: []SegmentShift{}}
	was, err := goldenOrNone(ctx, before, id)
	if err != nil {
		return e, err
	}
	now, err := goldenOrNone(ctx, q, id)
	if err != nil {
		return e, err
	}
	switch {
	case was.ID == "":
		e.State = "new"
	case now.ID == "":
		e.State = "gone"
	}
	e.Records = [2]int64{was.Records, now.Records}
	e.Fields = fieldEffects(was, now)
	row := fieldsJSON([2]string{"segment", "segment"}, [2]string{"change", "case when b.profile_id is null then 'enter' else 'exit' end"})
	e.Segments, err = decoded[SegmentShift](ctx, q, "select "+row+` from (select * from was.segment_memberships where profile_id = ?) b
		full join (select * from segment.memberships where profile_id = ?) a using (segment) where a.profile_id is null or b.profile_id is null order by segment`, id, id)
	return e, err
}

// goldenOrNone is golden, or an empty profile where there is none.
func goldenOrNone(ctx context.Context, q *asking, id string) (weir.Profile, error) {
	p, err := q.golden(ctx, id)
	if weir.CodeOf(err) == weir.NotFound {
		return weir.Profile{}, nil
	}
	return p, err
}

// fieldEffects lists the attributes and identifiers that differ.
func fieldEffects(was, now weir.Profile) []FieldEffect {
	out := []FieldEffect{}
	names := maps.Clone(was.Attributes)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, now.Attributes)
	for _, f := range slices.Sorted(maps.Keys(names)) {
		if was.Attributes[f] != now.Attributes[f] {
			out = append(out, FieldEffect{f, was.Attributes[f], now.Attributes[f]})
		}
	}
	kinds := map[string]bool{}
	for _, ids := range []weir.Identifiers{was.Identifiers, now.Identifiers} {
		for k := range ids {
			kinds[k] = true
		}
	}
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		if before, after := strings.Join(was.Identifiers[k], ", "), strings.Join(now.Identifiers[k], ", "); before != after {
			out = append(out, FieldEffect{"identifiers." + k, before, after})
		}
	}
	return out
}
