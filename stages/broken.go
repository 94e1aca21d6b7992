package stages

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/pipelines"
	segments "github.com/weir-cdp/weir/pipelines/segment"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	"github.com/weir-cdp/weir/pipelines/segment/value"
	"github.com/weir-cdp/weir/project"
)

// BrokenDefinition is a segment or trait that cannot be computed. A segment keeps the
// members that it had, so runs go on as if nothing were wrong: it has to be told until
// it is mended.
type BrokenDefinition struct {
	What   string `json:"what"` // segment, trait
	Name   string `json:"name"`
	Where  string `json:"where,omitempty"` // file:line
	Reason string `json:"reason"`
	// Told: the files as they are now show nothing wrong, but the last run of the
	// stage could not use it: it was mended since, or its data is what is wrong.
	Told bool `json:"told_by_last_run,omitempty"`
}

// BrokenQuery shows what the last run of segment told of broken definitions.
const BrokenQuery = `weir query "select field, origin, reason from ops.quarantine where stage = 'segment'"`

// Broken lists the definitions that are broken now: as the files have them, and as
// the last run of the stage found them. Segments go before traits, by name.
func (h *House) Broken(ctx context.Context, p *project.Project) ([]BrokenDefinition, error) {
	pins, err := h.Lake.Pins(ctx)
	if err != nil {
		return nil, err
	}
	params, err := (&inputs{house: h, pins: pins}).segments(ctx, p)
	if err != nil {
		return nil, err
	}
	out, err := brokenNow(params, p)
	if err != nil {
		return nil, err
	}
	told, err := h.brokenThen(ctx, pins[quarantineTable])
	if err != nil {
		return nil, err
	}
	for _, b := range told {
		same := func(o BrokenDefinition) bool { return o.What == b.What && o.Name == b.Name }
		if !slices.ContainsFunc(out, same) && defines(p, b) {
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b BrokenDefinition) int { return strings.Compare(a.What+" "+a.Name, b.What+" "+b.Name) })
	return out, nil
}

// brokenNow compiles the project's files.
func brokenNow(params segments.Params, p *project.Project) ([]BrokenDefinition, error) {
	broken, err := unseen(params, p).Broken(params.PriorNow)
	var out []BrokenDefinition
	for _, b := range broken {
		out = append(out, brokenDefinition(b))
	}
	return out, err
}

// unseen lets attributes that no run has conformed yet be of any type, and so the
// traits that are computed from them: what is not known is not called wrong.
func unseen(params segments.Params, p *project.Project) segments.Params {
	types := maps.Clone(params.AttributeTypes)
	for _, name := range p.AttributeNames() {
		if _, seen := types[name]; !seen {
			types[name] = value.Dynamic
		}
	}
	params.AttributeTypes, params.Traits = types, slices.Clone(params.Traits)
	loose := map[string]bool{}
	for grown := true; grown; {
		grown = false
		for i, t := range params.Traits {
			traits, attributes := t.Reads()
			if !slices.ContainsFunc(attributes, func(a string) bool { return types[a] == value.Dynamic }) &&
				!slices.ContainsFunc(traits, func(name string) bool { return loose[name] }) {
				continue
			}
			grown, loose[t.Name] = true, true
			params.Traits[i] = weir.TraitDef{Name: t.Name, Of: t.Of, Aggregate: "most_frequent", Field: "name", At: t.At} // of any type
		}
	}
	return params
}

func brokenDefinition(b tally.Broken) BrokenDefinition {
	d := BrokenDefinition{What: "segment", Name: b.Name, Where: b.Where(), Reason: strings.Join(b.Reasons(), "; ")}
	if b.Trait {
		d.What = "trait"
	}
	return d.bare()
}

// bare leaves out of the reason what the other fields say.
func (d BrokenDefinition) bare() BrokenDefinition {
	d.Reason = strings.TrimPrefix(d.Reason, d.Where+": ")
	d.Reason = strings.TrimPrefix(d.Reason, d.What+" "+d.Name+": ")
	return d
}

// Definitions examines segments and traits as the files have them.
func (c Checkup) Definitions() []Finding {
	p := c.Project
	params := segments.Params{Segments: p.Segments, Traits: p.Traits, IdentifierOrder: p.IdentifierKinds(), Timezone: p.Timezone,
		Currency: p.Currency, Rates: p.Rates, AttributeTypes: map[string]weir.AttributeType{}}
	broken, err := brokenNow(params, p)
	if err != nil {
		return []Finding{wrong("segments", err, "weir.yaml", "check timezone and rates")}
	}
	var out []Finding
	for _, b := range broken {
		out = append(out, Finding{Part: b.What + " " + b.Name, Status: Bad, What: b.Reason, Where: b.Where,
			Next: "mend it: until then no run computes it"})
	}
	if len(out) == 0 && len(p.Segments)+len(p.Traits) > 0 {
		out = append(out, good("segments", "%d segments and %d traits can be computed", len(p.Segments), len(p.Traits)))
	}
	return out
}

// brokenThen reads what the last run of the stage quarantined.
func (h *House) brokenThen(ctx context.Context, snapshot int64) ([]BrokenDefinition, error) {
	if snapshot == 0 {
		return nil, nil
	}
	scopes, err := h.Lake.ByScope(ctx, quarantineTable, snapshot)
	if err != nil {
		return nil, err
	}
	table, err := h.Lake.Describe(ctx, quarantineTable)
	if err != nil {
		return nil, err
	}
	var out []BrokenDefinition
	files := scopes[pipelines.QuarantineScope(weir.Segment, segments.BrokenSource, segments.BrokenStream)]
	for q, err := range rowfile.Scan[weir.Quarantined](ctx, h.store(), table, files) {
		if err != nil {
			return nil, err
		}
		what, name, _ := strings.Cut(q.Field, " ")
		out = append(out, BrokenDefinition{What: what, Name: name, Where: q.Origin, Reason: q.Reason, Told: true}.bare())
	}
	return out, nil
}

// defines tells whether a project still has the definition.
func defines(p *project.Project, b BrokenDefinition) bool {
	if b.What == "segment" {
		_, ok := p.Segment(b.Name)
		return ok
	}
	return slices.ContainsFunc(p.Traits, func(t weir.TraitDef) bool {
		return t.Name == b.Name || t.Score != nil && t.Score.Trait == b.Name || t.Query != nil && t.Query.Trait == b.Name
	})
}

// quarantineQuery is the command that shows what lies in ops.quarantine of a part;
// "" for a stage that puts nothing there.
func quarantineQuery(stage weir.Stage, part string) string {
	where := "stage = " + sql.QuoteText(string(stage))
	switch stage {
	case weir.Segment:
		return BrokenQuery
	case weir.Collect:
		source, stream, _ := strings.Cut(part, "/")
		where += " and source = " + sql.QuoteText(source) + " and stream = " + sql.QuoteText(stream)
	case weir.Conform:
		return `weir query "select source, stream, origin, field, reason, value_excerpt from ops.quarantine where ` + where + ` order by source, stream limit 20"`
	}
	return `weir query "select origin, field, reason, value_excerpt from ops.quarantine where ` + where + ` limit 20"`
}
