package stages

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/explain"
	"github.com/weir-cdp/weir/pipelines/segment/live"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/project"
)

// SegmentCount is how many belong to a segment now.
type SegmentCount struct {
	Segment string    `json:"segment"`
	Members int64     `json:"members"`
	AsOf    time.Time `json:"as_of,omitzero"` // the now of the run that computed it; zero: none did
	Stale   bool      `json:"stale"`          // the definition changed since
}

// CountSegments counts the committed members of these segments, all if none is
// named. NotFound: the project has no such segment.
func (h *House) CountSegments(ctx context.Context, p *project.Project, names ...string) ([]SegmentCount, error) {
	if len(names) == 0 {
		for _, s := range p.Segments {
			names = append(names, s.Name)
		}
	}
	if err := known(p, names...); err != nil {
		return nil, err
	}
	q, err := h.ask(ctx, "segment.memberships")
	if err != nil {
		return nil, err
	}
	defer q.close()
	last, ran, err := h.last(ctx, weir.Segment, "")
	if err != nil {
		return nil, err
	}
	stale, err := h.changedSegments(ctx, p)
	if err != nil {
		return nil, err
	}
	out := []SegmentCount{}
	for _, name := range names {
		n, err := decoded[int64](ctx, q, "select count(*)::varchar from segment.memberships where segment = ?", name)
		if err != nil {
			return nil, err
		}
		c := SegmentCount{Segment: name, Members: n[0], Stale: stale[name]}
		if ran {
			c.AsOf = last.Now
		}
		out = append(out, c)
	}
	return out, nil
}

func known(p *project.Project, names ...string) error {
	for _, name := range names {
		if _, ok := p.Segment(name); !ok {
			var have []string
			for _, s := range p.Segments {
				have = append(have, s.Name)
			}
			return weir.Errorf(weir.NotFound, "there is no segment %q", name).Then("the project has: " + strings.Join(have, ", "))
		}
	}
	return nil
}

// changedSegments tells which committed memberships follow another definition
// than the project's.
func (h *House) changedSegments(ctx context.Context, p *project.Project) (map[string]bool, error) {
	params, err := (&inputs{house: h}).segments(ctx, p)
	if err != nil {
		return nil, err
	}
	digests, err := params.Digests()
	if err != nil {
		return nil, err
	}
	prior, _, err := (&inputs{house: h}).definitions(ctx)
	out := map[string]bool{}
	for name, d := range digests {
		out[name] = prior[name] != d
	}
	return out, err
}

// Member is one member of a segment with the values that its rule reads.
type Member struct {
	ProfileID string            `json:"profile_id"`
	EnteredAt time.Time         `json:"entered_at"`
	Values    map[string]string `json:"values"`
}

// PreviewSegment shows the first members by profile id, with the attributes and
// traits that the rule reads. The second result names those in order.
func (h *House) PreviewSegment(ctx context.Context, p *project.Project, name string, limit int) ([]Member, []string, error) {
	if err := known(p, name); err != nil {
		return nil, nil, err
	}
	def, _ := p.Segment(name)
	q, err := h.ask(ctx, "segment.memberships", "core.profiles", "core.traits")
	if err != nil {
		return nil, nil, err
	}
	defer q.close()
	traits, attributes := rule.OwnCompared(&def.Where)
	names := slices.Sorted(maps.Keys(attributes))
	var fields [][2]string
	for _, c := range q.have["core.profiles"].Attributes() {
		if attributes[c.Name] {
			fields = append(fields, [2]string{c.Name, jsonValue("p."+quote(c.Name), c.Type)})
		}
	}
	values := "'{}'::json"
	if len(fields) > 0 {
		values = fieldsJSON(fields...) + "::json"
	}
	type marked struct {
		Member
		Marked map[string]any `json:"marked"`
	}
	row := fieldsJSON([2]string{"profile_id", "m.profile_id"}, [2]string{"entered_at", moment("m.entered_at")}, [2]string{"marked", values})
	found, err := decoded[marked](ctx, q, "select "+row+" from segment.memberships m left join core.profiles p using (profile_id) where m.segment = ? order by m.profile_id limit ?", name, limit)
	if err != nil {
		return nil, nil, err
	}
	out := make([]Member, len(found))
	for i, f := range found {
		out[i] = Member{ProfileID: f.ProfileID, EnteredAt: f.EnteredAt, Values: plain(f.Marked)}
		if len(traits) == 0 {
			continue
		}
		have, err := q.traits(ctx, f.ProfileID)
		if err != nil {
			return nil, nil, err
		}
		for _, t := range have {
			if traits[t.Name] {
				out[i].Values["trait."+t.Name] = t.Value
			}
		}
	}
	for _, t := range slices.Sorted(maps.Keys(traits)) {
		names = append(names, "trait."+t)
	}
	return out, names, nil
}

// Reasoned is why a profile is in a segment, or not.
type Reasoned struct {
	Who       Who             `json:"who"`
	Segment   string          `json:"segment"`
	Member    bool            `json:"member"` // as committed
	EnteredAt time.Time       `json:"entered_at,omitzero"`
	Now       time.Time       `json:"now"` // at which the rule was evaluated
	Events    int             `json:"events"`
	Verdict   explain.Verdict `json:"verdict"`
}

// ExplainSegment evaluates a segment for one profile and its events, at now or,
// if that is zero, at the now of the run that computed the memberships.
func (h *House) ExplainSegment(ctx context.Context, p *project.Project, name, ref string, now time.Time) (Reasoned, error) {
	r := Reasoned{Segment: name, Now: now}
	if err := known(p, name); err != nil {
		return r, err
	}
	params, err := (&inputs{house: h}).segments(ctx, p)
	if err != nil {
		return r, err
	}
	definitions := live.Needed(params.Definitions(), name)
	tables, asks := append([]string{"core.events", "core.traits", "segment.memberships"}, whoTables...), asksLinked(definitions.Segments)
	if asks {
		tables = append(tables, "identity.accounts")
	}
	q, err := h.ask(ctx, tables...)
	if err != nil {
		return r, err
	}
	defer q.close()
	if r.Who, err = q.one(ctx, ref); err != nil {
		return r, err
	}
	if r.Now.IsZero() {
		if last, ran, err := h.last(ctx, weir.Segment, ""); err != nil {
			return r, err
		} else if ran {
			r.Now = last.Now
		} else {
			r.Now = h.Clock()
		}
	}
	profile, err := q.golden(ctx, r.Who.ProfileID)
	if err != nil {
		return r, err
	}
	events, err := q.eventsOf(ctx, []string{profile.ID}, p.IdentifierKinds())
	if err != nil {
		return r, err
	}
	who := &explain.Subject{Profile: profile, Events: events[profile.ID]}
	r.Events = len(who.Events)
	if who.Scores, err = q.scoresOf(ctx, p, profile.ID); err != nil {
		return r, err
	}
	if asks {
		who.Linked = q.linked(ctx, p, profile.ID)
	}
	if r.Verdict, err = explain.With(definitions, name, who, r.Now); err != nil {
		return r, err
	}
	member, err := list[weir.Membership](ctx, q, "segment.memberships", "where segment = ? and profile_id = ?", name, profile.ID)
	if len(member) > 0 {
		r.Member, r.EnteredAt = true, member[0].EnteredAt
	}
	return r, err
}

// Overlap is how two segments' members meet.
type Overlap struct {
	A     string `json:"a"`
	B     string `json:"b"`
	OnlyA int64  `json:"only_a"`
	OnlyB int64  `json:"only_b"`
	Both  int64  `json:"both"`
}

// OverlapSegments compares the committed members of two segments.
func (h *House) OverlapSegments(ctx context.Context, p *project.Project, a, b string) (Overlap, error) {
	o := Overlap{A: a, B: b}
	if err := known(p, a, b); err != nil {
		return o, err
	}
	q, err := h.ask(ctx, "segment.memberships")
	if err != nil {
		return o, err
	}
	defer q.close()
	row := fieldsJSON([2]string{"only_a", "count(*) filter (a and not b)"}, [2]string{"only_b", "count(*) filter (b and not a)"}, [2]string{"both", "count(*) filter (a and b)"})
	found, err := decoded[Overlap](ctx, q, "select "+row+" from (select profile_id, bool_or(segment = ?) as a, bool_or(segment = ?) as b from segment.memberships group by profile_id)", a, b)
	if err != nil {
		return o, err
	}
	found[0].A, found[0].B = a, b
	return found[0], nil
}
