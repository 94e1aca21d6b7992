package stages

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/decisions"
	"github.com/weir-cdp/weir/pipelines/resolve/explain"
	"github.com/weir-cdp/weir/project"
)

// Evidence says why two records or profiles are one, or why not.
type Evidence struct {
	A    Who  `json:"a"`
	B    Who  `json:"b"`
	Same bool `json:"same"` // one profile now
	// Path leads from a record of A to one of B: over evidence that was used where
	// they are the same, else the one that would have joined them, with what
	// refused it. Empty: no evidence at all, or one record.
	Path []explain.Hop `json:"path"`
	// Shared are identifier values that both hold, with what they are worth.
	Shared []SharedValue `json:"shared"`
	// Decisions are those of people that say something of the two, or of a hop of the
	// path, and stand.
	Decisions []decisions.Decision `json:"decisions"`
	// Partial says that the graph around them is larger than what was read.
	Partial bool `json:"partial,omitempty"`
}

// SharedValue is one identifier value on both sides.
type SharedValue struct {
	Kind      string `json:"kind"`
	Value     string `json:"value"`
	Ambiguous bool   `json:"ambiguous"` // blocked, or on too many: no evidence
	NoLink    bool   `json:"no_link"`   // `link: false` in identity.yaml
	// Why says why the value is blocked, in words; Rules are the rules that can't use it
	// where it is blocked or on too many.
	Why   string   `json:"why,omitempty"`
	Rules []string `json:"rules,omitempty"`
}

// evidenceEdges bounds how many edges an explanation reads.
const evidenceEdges = 50_000

// ExplainIdentity says why two references (record ids, profile ids, KIND:VALUE)
// are one profile, or why they are not.
func (h *House) ExplainIdentity(ctx context.Context, p *project.Project, a, b string) (Evidence, error) {
	q, err := h.ask(ctx, append([]string{"identity.edges"}, decisionTables...)...)
	if err != nil {
		return Evidence{}, err
	}
	defer q.close()
	e := Evidence{Path: []explain.Hop{}, Shared: []SharedValue{}}
	if e.A, err = q.who(ctx, a); err != nil {
		return e, err
	}
	if e.B, err = q.who(ctx, b); err != nil {
		return e, err
	}
	e.Same = e.A.ProfileID != "" && e.A.ProfileID == e.B.ProfileID
	from, err := q.recordsBehind(ctx, e.A)
	if err != nil {
		return e, err
	}
	to, err := q.recordsBehind(ctx, e.B)
	if err != nil {
		return e, err
	}
	edges, whole, err := q.around(ctx, from, to)
	if err != nil {
		return e, err
	}
	e.Partial = !whole
	e.Path = between(edges, from, to, e.Same)
	if e.Decisions, err = q.decisionsBetween(ctx, from, to, e); err != nil {
		return e, err
	}
	e.Shared, err = q.shared(ctx, p, from, to)
	return e, err
}

// recordsBehind are the records that a reference means.
func (q *asking) recordsBehind(ctx context.Context, w Who) ([]string, error) {
	switch {
	case w.RecordID != "":
		return []string{w.RecordID}, nil
	case w.Kind != "":
		return q.column(ctx, "select record_id from core.records where list_contains(identifiers[?], ?) order by 1", w.Kind, w.Value)
	}
	return q.column(ctx, "select record_id from identity.links where profile_id = ? order by 1", w.ProfileID)
}

// column reads a query's one column of texts.
func (q *asking) column(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := q.sess.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []string{}
	for rows.Next() {
		s, _ := rows.Values()[0].(string)
		out = append(out, s)
	}
	return out, rows.Err()
}

// around reads the edges near some records, ring after ring, until the other
// side is met and its own ring is read, or there is no more.
func (q *asking) around(ctx context.Context, from, to []string) (edges []weir.Edge, whole bool, err error) {
	seen, done := map[string]bool{}, map[string]bool{}
	frontier := slices.Concat(from, to)
	slices.Sort(frontier)
	frontier = slices.Compact(frontier)
	for ring := 0; len(frontier) > 0 && ring < 6; ring++ {
		text, err := json.Marshal(frontier)
		if err != nil {
			return nil, false, weir.Errorf(weir.Internal, "records: %w", err)
		}
		found, err := list[weir.Edge](ctx, q, "identity.edges", `where left_record_id in (select unnest(cast(?::json as varchar[])))
			or right_record_id in (select unnest(cast(?::json as varchar[]))) order by left_record_id, right_record_id, rule limit ?`, string(text), string(text), evidenceEdges)
		if err != nil {
			return nil, false, err
		}
		for _, r := range frontier {
			done[r] = true
		}
		frontier = nil
		for _, e := range found {
			if id := e.Left + "\x00" + e.Right + "\x00" + e.Rule; !seen[id] {
				seen[id] = true
				edges = append(edges, e)
			}
			for _, r := range []string{e.Left, e.Right} {
				if !done[r] {
					done[r] = true
					frontier = append(frontier, r)
				}
			}
		}
		if len(edges) >= evidenceEdges {
			return edges, false, nil
		}
		slices.Sort(frontier)
	}
	return edges, len(frontier) == 0, nil
}

// between finds the path from any record of one side to any of the other.
func between(edges []weir.Edge, from, to []string, same bool) []explain.Hop {
	const start, end = "\x00from", "\x00to"
	all := slices.Clone(edges)
	tie := func(side string, records []string) {
		for _, r := range records {
			all = append(all, weir.Edge{Left: side, Right: r, Weight: math.Inf(1), Used: true})
		}
	}
	tie(start, from)
	tie(end, to)
	path := explain.WhyNot(all, start, end)
	if same {
		path = explain.Strongest(all, start, end)
	}
	return slices.DeleteFunc(path, func(h explain.Hop) bool {
		return strings.HasPrefix(h.From, "\x00") || strings.HasPrefix(h.To, "\x00")
	})
}

// shared lists the identifier values that both sides hold.
func (q *asking) shared(ctx context.Context, p *project.Project, from, to []string) ([]SharedValue, error) {
	a, err := json.Marshal(from)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "records: %w", err)
	}
	b, err := json.Marshal(to)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "records: %w", err)
	}
	side := `select distinct e.key as kind, unnest(e.value) as value from
		(select unnest(map_entries(identifiers)) as e from core.records where record_id in (select unnest(cast(?::json as varchar[]))))`
	row := fieldsJSON([2]string{"kind", "kind"}, [2]string{"value", "value"}, [2]string{"ambiguous", "coalesce(i.ambiguous, false)"})
	out, err := decoded[SharedValue](ctx, q, "select "+row+" from ("+side+") a join ("+side+") b using (kind, value) left join identity.identifiers i using (kind, value) order by kind, value",
		string(a), string(b))
	for i := range out {
		for _, def := range p.Identity {
			out[i].NoLink = out[i].NoLink || def.Identifiers[out[i].Kind].NoLink
		}
		if out[i].Why = worthless(p, out[i].Kind, out[i].Value); out[i].Why != "" || out[i].Ambiguous {
			out[i].Ambiguous, out[i].Rules = true, rulesOn(p, out[i].Kind)
		}
	}
	return out, err
}

// IdentityReport is a summary of who is who: where to look for wrong merges.
type IdentityReport struct {
	Profiles  map[string]int64 `json:"profiles"` // by kind
	Records   int64            `json:"records"`
	Rules     []RuleCount      `json:"rules"`
	Ambiguous map[string]int64 `json:"ambiguous"` // values that lead nowhere, by kind
	Hubs      []Hub            `json:"hubs"`      // values on more profiles than shared_by: they link nothing
	Worthless []Hub            `json:"worthless"` // blocked values on several profiles
	Shared    []Hub            `json:"shared"`    // other values on several profiles, such as of link: false
	Largest   []Large          `json:"largest"`   // the profiles of most records
	Changes   map[string]int64 `json:"changes"`   // of profile ids, ever
	Runs      []RunFigures     `json:"runs"`      // the last ones, the latest first
	Rates     []MatchRate      `json:"rates"`     // of the last run
	Limits    []LimitFigure    `json:"limits"`    // of identity.yaml
	Blocked   map[string]int64 `json:"blocked"`   // values on records that the last run did not use, by reason
	Drift     []Drift          `json:"drift"`     // since the models were trained, the large things first
}

// RuleCount is one rule's edges.
type RuleCount struct {
	Rule    string `json:"rule"`
	Used    int64  `json:"used"`
	Refused int64  `json:"refused"`
}

// Hub is an identifier's value on many profiles.
type Hub struct {
	Kind     string `json:"kind"`
	Value    string `json:"value"`
	Profiles int64  `json:"profiles"`
	Why      string `json:"why,omitempty"` // why it is blocked
}

// Large is a profile of many records.
type Large struct {
	ProfileID string `json:"profile_id"`
	Records   int64  `json:"records"`
	Values    int64  `json:"values,omitempty"` // of a limited identifier
}

// ReportIdentity makes the summary; top bounds each of its lists.
func (h *House) ReportIdentity(ctx context.Context, p *project.Project, top int) (IdentityReport, error) {
	r := IdentityReport{Profiles: map[string]int64{}, Ambiguous: map[string]int64{}, Changes: map[string]int64{}, Blocked: map[string]int64{}}
	q, err := h.ask(ctx, append([]string{"identity.edges", "identity.runs", quarantineTable}, whoTables...)...)
	if err != nil {
		return r, err
	}
	defer q.close()
	counts := func(into map[string]int64, query string) error {
		type pair struct {
			K string
			N int64
		}
		found, err := decoded[pair](ctx, q, query)
		for _, x := range found {
			into[x.K] = x.N
		}
		return err
	}
	pair := func(key string) string {
		return "select " + fieldsJSON([2]string{"k", key}, [2]string{"n", "count(*)"}) + " from "
	}
	records := map[string]int64{}
	for _, step := range []func() error{
		func() error { return counts(r.Profiles, pair("kind")+"core.profiles group by kind") },
		func() error { return counts(records, pair("'all'")+"core.records") },
		func() error {
			return counts(r.Ambiguous, pair("kind")+"identity.identifiers where ambiguous group by kind")
		},
		func() error { return counts(r.Changes, pair("change")+"identity.merges group by change") },
		func() error {
			r.Rules, err = decoded[RuleCount](ctx, q, "select "+fieldsJSON([2]string{"rule", "rule"}, [2]string{"used", "count(*) filter (used)"},
				[2]string{"refused", "count(*) filter (not used)"})+" from identity.edges group by rule order by rule")
			return err
		},
		func() error {
			found, err := decoded[Hub](ctx, q, "select "+fieldsJSON([2]string{"kind", "kind"}, [2]string{"value", "value"}, [2]string{"profiles", "count(*)"})+
				` from (select e.key as kind, unnest(e.value) as value from (select unnest(map_entries(identifiers)) as e from core.profiles))
				group by kind, value having count(*) > 1 order by count(*) desc, kind, value limit ?`, 20*top)
			r.sortHubs(p, found, top)
			return err
		},
		func() error {
			r.Largest, err = decoded[Large](ctx, q, "select "+fieldsJSON([2]string{"profile_id", "profile_id"}, [2]string{"records", "records"})+
				" from core.profiles where records > 1 order by records desc, profile_id limit ?", top)
			return err
		},
		func() error { return r.figures(ctx, q, p, top) },
		func() error { r.Drift, err = q.drift(ctx); return err },
	} {
		if err := step(); err != nil {
			return r, err
		}
	}
	r.Records = records["all"]
	return r, nil
}
