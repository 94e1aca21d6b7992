package stages

import (
	"context"
	"encoding/json"
	"iter"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/explain"
	"github.com/weir-cdp/weir/pipelines/segment/live"
	"github.com/weir-cdp/weir/project"
)

// linkedAtOnce is how many linked profiles are read at once, with their events.
const linkedAtOnce = 500

// asksLinked says whether a segment, or one that it names, asks about people of
// accounts or accounts of people.
func asksLinked(segments []weir.SegmentDef) bool {
	return slices.ContainsFunc(segments, func(s weir.SegmentDef) bool { return s.Where.AsksRelated() })
}

// linked reads the profiles that identity.accounts links to one, each once, by their
// ids: what a rule sees of them.
func (q *asking) linked(ctx context.Context, p *project.Project, profile string) iter.Seq2[*explain.Subject, error] {
	return func(yield func(*explain.Subject, error) bool) {
		ids, err := decoded[string](ctx, q, `select to_json(id)::varchar from (
			select account_profile_id as id, 'account' as kind from identity.accounts where profile_id = ?
			union select profile_id, 'person' from identity.accounts where account_profile_id = ?) l
			semi join core.profiles c on c.profile_id = id and c.kind = l.kind order by id`, profile, profile)
		if err != nil {
			yield(nil, err)
			return
		}
		for some := range slices.Chunk(ids, linkedAtOnce) {
			events, err := q.eventsOf(ctx, some, p.IdentifierKinds())
			if err != nil {
				yield(nil, err)
				return
			}
			for _, id := range some {
				who := &explain.Subject{Events: events[id]}
				if who.Profile, err = q.golden(ctx, id); err == nil {
					who.Scores, err = q.scoresOf(ctx, p, id)
				}
				if !yield(who, err) || err != nil {
					return
				}
			}
		}
	}
}

// eventsOf reads the events of profiles, in order of time, as the stage gives them
// out: an event goes to the profile of its strongest unambiguous identifier.
func (q *asking) eventsOf(ctx context.Context, profiles, order []string) (map[string][]weir.Event, error) {
	texts := make([]string, 2)
	for i, of := range [][]string{profiles, order} {
		text, err := json.Marshal(of)
		if err != nil {
			return nil, weir.Errorf(weir.Internal, "ids: %w", err)
		}
		texts[i] = string(text)
	}
	const owned = `
		with who as (select unnest(cast(?::json as varchar[])) as profile_id),
		mine as (select kind, value from identity.identifiers semi join who using (profile_id) where not ambiguous),
		claims as (select event_id, e.key as kind, unnest(e.value) as value from (select event_id, unnest(map_entries(identifiers)) as e from core.events)),
		near as (select distinct event_id from claims join mine using (kind, value))
		select event_id, profile_id from (
			select c.event_id, i.profile_id from claims c semi join near using (event_id)
			join identity.identifiers i on i.kind = c.kind and i.value = c.value and not i.ambiguous and i.profile_id <> ''
			qualify row_number() over (partition by c.event_id order by
				coalesce(nullif(list_position(cast(?::json as varchar[]), c.kind), 0), 1000000), c.kind, c.value) = 1)
		semi join who using (profile_id)`
	type owner struct {
		Event   string `json:"event_id"`
		Profile string `json:"profile_id"`
	}
	owners, err := decoded[owner](ctx, q, "select "+fieldsJSON([2]string{"event_id", "event_id"}, [2]string{"profile_id", "profile_id"})+" from ("+owned+")", texts[0], texts[1])
	if err != nil || len(owners) == 0 {
		return nil, err
	}
	of, ids := make(map[string]string, len(owners)), make([]string, len(owners))
	for i, o := range owners {
		of[o.Event], ids[i] = o.Profile, o.Event
	}
	all, err := json.Marshal(ids)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "ids of events: %w", err)
	}
	events, err := list[weir.Event](ctx, q, "core.events", `where event_id in (select unnest(cast(?::json as varchar[]))) order by occurred_at, event_id`, string(all))
	if err != nil {
		return nil, err
	}
	out := map[string][]weir.Event{}
	for _, e := range events {
		out[of[e.ID]] = append(out[of[e.ID]], e)
	}
	return out, nil
}

// liveLinks reads who belongs to which account, if the question asks about that.
func (h *House) liveLinks(ctx context.Context, q live.Question) ([]live.Link, error) {
	if !asksLinked(live.Needed(q.Definitions, q.Segments...).Segments) {
		return nil, nil
	}
	ask, err := h.ask(ctx, "identity.accounts")
	if err != nil {
		return nil, err
	}
	defer ask.close()
	rows, err := ask.sess.Query(ctx, "select distinct profile_id, account_profile_id from identity.accounts")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []live.Link
	for rows.Next() {
		var l live.Link
		l.Person, _ = rows.Values()[0].(string)
		l.Account, _ = rows.Values()[1].(string)
		out = append(out, l)
	}
	return out, rows.Err()
}
