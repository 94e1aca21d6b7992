package stages

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	conformer "github.com/weir-cdp/weir/pipelines/conform"
	segments "github.com/weir-cdp/weir/pipelines/segment"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	unifier "github.com/weir-cdp/weir/pipelines/unify"
	"github.com/weir-cdp/weir/project"
)

// This file says what the Beam stages but resolve read, write and depend on.

func conform(h *House) Stage {
	return &pipeline{House: h, stage: weir.Conform, after: h.afterConform, plan: func(ctx context.Context, p *project.Project, in *inputs) (outline, error) {
		streams, tables, raw, err := in.streams(ctx, p)
		if err != nil {
			return outline{}, err
		}
		types := attributeTypes(p, raw)
		var fit []conformer.StreamParams
		var refused []string
		for _, s := range streams {
			s.Mapping.AttributeTypes = types
			if err := conformer.Check(s.Mapping, raw[s.RawTable]); err != nil {
				refused = append(refused, err.Error())
				tables = slices.DeleteFunc(tables, func(t string) bool { return t == s.RawTable })
				continue // its tables stay as they are, the others go on (invariant 8)
			}
			fit = append(fit, s)
		}
		if len(fit) == 0 && len(refused) > 0 {
			return outline{}, weir.Errorf(weir.Invalid, "%s", strings.Join(refused, "\n")).Then("mend the mappings: weir doctor")
		}
		params := conformer.Params{Streams: fit, KeepExcerpts: p.Retention.QuarantineValues}
		if params.Dropped, err = in.dropped(ctx, streams); err != nil {
			return outline{}, err
		}
		return outline{
			Reads:   tables,
			Writes:  append([]schema.Table{schema.Records(types)}, named("core.events", "core.consents", quarantineTable)...),
			Params:  params,
			Depends: []any{params, refused},
			Refused: refused,
		}, nil
	}}
}

// streams lists the streams that have landed something, with their raw tables.
func (in *inputs) streams(ctx context.Context, p *project.Project) (streams []conformer.StreamParams, tables []string, raw map[string]schema.Table, err error) {
	raw = map[string]schema.Table{}
	for _, s := range p.Sources {
		for _, t := range s.Streams {
			name := schema.RawName(s.Name, t.Name)
			if in.pins[name] == 0 {
				continue
			}
			if raw[name], err = in.house.Lake.Describe(ctx, name); err != nil {
				return nil, nil, nil, err
			}
			version, err := digest(t.Mapping)
			if err != nil {
				return nil, nil, nil, err
			}
			tables = append(tables, name)
			streams = append(streams, conformer.StreamParams{Mapping: t.Mapping, RawTable: name, Version: version[:16]})
		}
	}
	return streams, tables, raw, nil
}

// dropped lists the streams that have rows in the tables and are not in the
// project any more.
func (in *inputs) dropped(ctx context.Context, streams []conformer.StreamParams) ([]string, error) {
	gone := map[string]bool{}
	for _, table := range []string{"core.records", "core.events", "core.consents"} {
		scopes, err := in.house.Lake.ByScope(ctx, table, in.pins[table])
		if weir.CodeOf(err) == weir.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		for s := range scopes {
			gone[s] = true
		}
	}
	for _, s := range streams {
		delete(gone, conformer.Scope(s.Mapping.Source, s.Mapping.Stream))
	}
	delete(gone, recordedScope) // of no source's: people said it
	return slices.Sorted(maps.Keys(gone)), nil
}

// attributeTypes gives every attribute its type: as weir.yaml declares, as the
// common vocabulary has it, or as the columns that are mapped to it by name say,
// if they all agree; else text.
func attributeTypes(p *project.Project, raw map[string]schema.Table) map[string]weir.AttributeType {
	seen := map[string]map[weir.AttributeType]bool{}
	for _, s := range p.Sources {
		for _, t := range s.Streams {
			table := raw[schema.RawName(s.Name, t.Name)]
			for name, value := range t.Mapping.Attributes {
				if seen[name] == nil {
					seen[name] = map[weir.AttributeType]bool{}
				}
				seen[name][columnType(table, value)] = true
			}
		}
	}
	out := map[string]weir.AttributeType{}
	for name, types := range seen {
		declared, ok := p.Attributes[name]
		switch {
		case ok:
			out[name] = declared
		case name == "birth_date" || name == "date_of_birth":
			out[name] = weir.Date
		case len(types) == 1 && !weir.IsAddress(name) && !slices.Contains(p.IdentifierKinds(), name):
			out[name] = slices.Collect(maps.Keys(types))[0]
		default:
			out[name] = weir.Text
		}
	}
	return out
}

func columnType(t schema.Table, column string) weir.AttributeType {
	c, ok := t.Column(column)
	if !ok {
		return weir.Text
	}
	_, _, decimal := c.Type.Decimal()
	switch {
	case decimal, c.Type == schema.Long, c.Type == schema.Int, c.Type == schema.Double:
		return weir.Number
	case c.Type == schema.Date:
		return weir.Date
	case c.Type == schema.Timestamp, c.Type == schema.LocalTimestamp:
		return weir.Instant
	case c.Type == schema.Boolean:
		return weir.Boolean
	}
	return weir.Text
}

func named(names ...string) []schema.Table {
	out := make([]schema.Table, len(names))
	for i, n := range names {
		out[i] = schema.Named(n)
	}
	return out
}

func unify(h *House) Stage {
	return &pipeline{House: h, stage: weir.Unify, plan: func(ctx context.Context, p *project.Project, in *inputs) (outline, error) {
		types, err := in.attributes(ctx)
		params := unifier.Params{Identity: p.Identity, AttributeTypes: types}
		return outline{
			Reads:   []string{"core.records", "identity.links", "identity.identifiers"},
			Writes:  append([]schema.Table{schema.Profiles(types)}, named("core.lineage")...),
			Params:  params,
			Depends: params,
		}, err
	}}
}

// attributes are the types of the attributes that core.records has.
func (in *inputs) attributes(ctx context.Context) (map[string]weir.AttributeType, error) {
	out := map[string]weir.AttributeType{}
	t, err := in.house.Lake.Describe(ctx, "core.records")
	if weir.CodeOf(err) == weir.NotFound {
		return out, nil
	}
	for _, c := range t.Attributes() {
		out[c.Name] = columnType(t, c.Name)
	}
	return out, err
}

func segment(h *House) Stage {
	return increasingSegments(&pipeline{House: h, stage: weir.Segment, plan: func(ctx context.Context, p *project.Project, in *inputs) (outline, error) {
		params, err := in.segments(ctx, p)
		if err != nil {
			return outline{}, err
		}
		var clock time.Time
		if timed, err := tally.Needs(params.Definitions()); err != nil {
			return outline{}, err
		} else if timed || in.later(ctx) {
			clock = in.run.Now
		}
		var answered []weir.DataFile
		if answered, params.Unanswered, err = in.answers(ctx, p); err != nil {
			return outline{}, err
		}
		depends, err := digest(params)
		if err != nil {
			return outline{}, err
		}
		if params.PriorDigests, params.PriorNow, err = in.definitions(ctx); err != nil {
			return outline{}, err
		}
		digests, err := params.Digests()
		if err != nil {
			return outline{}, err
		}
		key, err := h.writeDefinitions(ctx, digests)
		if err != nil {
			return outline{}, err
		}
		if err := in.keepSegments(ctx, &params, depends); err != nil {
			return outline{}, err
		}
		reads := []string{"core.profiles", "core.events", "identity.identifiers"}
		if params.Relations() {
			reads = append(reads, "identity.accounts")
		}
		return outline{
			Reads:   reads,
			Prior:   []string{"segment.memberships", "identity.merges"},
			Given:   map[string][]weir.DataFile{traitsTable: answered},
			Writes:  named(traitsTable, "segment.memberships", "segment.changes", "segment.scores", quarantineTable),
			Params:  params,
			Depends: []any{depends, clock, answered},
			Follows: map[string]string{followsDefinitions: key},
			Refused: unansweredTexts(params.Unanswered),
		}, nil
	}})
}

// segments are the project's definitions as the stage computes them; who explains a
// membership, or asks whether it is stale, goes by the same.
func (in *inputs) segments(ctx context.Context, p *project.Project) (segments.Params, error) {
	types, err := in.attributes(ctx)
	params := segments.Params{Segments: p.Segments, Traits: p.Traits, IdentifierOrder: p.IdentifierKinds(), AttributeTypes: types, Timezone: p.Timezone}
	if params.ReadsCurrencies() {
		params.Currency, params.Rates = p.Currency, p.Rates
	}
	return params, err
}

// later tells whether the last run met events that were still in its future:
// they come to count as time goes by.
func (in *inputs) later(ctx context.Context) bool {
	last, ran, err := in.house.last(ctx, weir.Segment, "")
	return err != nil || (ran && last.Counts["events_later"] > 0)
}

// followsDefinitions names, in ops.runs, the object with the digests of the segments
// that the memberships follow.
const followsDefinitions = "definitions"

// definitionsPrefix is where the digests of segments are kept, by their content.
const definitionsPrefix = "definitions/"

func (h *House) writeDefinitions(ctx context.Context, digests map[string]string) (key string, err error) {
	name, err := digest(digests)
	if err != nil {
		return "", err
	}
	key = definitionsPrefix + "segments-" + name + ".json"
	return key, h.writeJSON(ctx, key, digests) // anew each time: its age says that it is in use
}

// definitions reads what the pinned memberships follow, and the now of the last
// run of the stage.
func (in *inputs) definitions(ctx context.Context) (map[string]string, time.Time, error) {
	last, _, err := in.house.last(ctx, weir.Segment, "")
	key := last.Follows[followsDefinitions]
	if err != nil || key == "" {
		return nil, last.Now, err
	}
	digests := map[string]string{}
	return digests, last.Now, in.house.readJSON(ctx, key, &digests)
}
