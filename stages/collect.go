package stages

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines/conform/mapping"
	"github.com/weir-cdp/weir/project"
)

// collect lands what a stream's source has, as it is. Rows and cursor become
// current in one commit (invariant 1).
type collect struct{ *House }

// Properties of a raw table.
const (
	cursorProperty = "weir.cursor" // what the last plan's cursor was
	rewindProperty = "weir.rewind" // "": none; else forget or drop, until the next commit

	collectedProperty = "weir.collected-at" // of the last sync
)

// What a rewound stream does with the rows that it collected before.
const (
	rewindForget = "forget" // they stay; those read again win by their key
	rewindDrop   = "drop"   // they are replaced by what is read
)

// collectSpec is one sync of one stream.
type collectSpec struct {
	Run    weir.Run        `json:"run"`
	Source string          `json:"source"`
	Stream string          `json:"stream"`
	Table  string          `json:"table"`
	Plan   connectors.Plan `json:"plan"`
	Drop   bool            `json:"drop"` // rows held before that no split replaces are removed
	Held   []string        `json:"held"` // scopes held before
	// MayBeEmpty: a read that leaves no row of those held before is no mistake.
	MayBeEmpty bool `json:"may_be_empty,omitempty"`
	// ConsentKey is the key of a consent stream, whose rows are kept when its source
	// no longer tells them.
	ConsentKey []string `json:"consent_key,omitempty"`
	// From names the cursor that the sync goes on from; Anew: from the beginning.
	From string `json:"from"`
	Anew bool   `json:"anew,omitempty"`
	// CollectedAt is the run's now, or just after the last sync where that was
	// later (a schedule that waited, a --now in the past): what is read later wins.
	CollectedAt time.Time `json:"collected_at"`
}

func (c *collect) Plan(ctx context.Context, run weir.Run, part string) (weir.StagePlan, error) {
	plan := weir.StagePlan{Spec: runPrefix(run, weir.Collect, part) + "spec.json"}
	if done, err := c.planned(ctx, plan.Spec); done || err != nil {
		return plan, err
	}
	source, stream, err := c.stream(ctx, run, part)
	if err != nil {
		return plan, err
	}
	table := schema.RawName(source.Name, stream.Name)
	prior, properties, unpinned, err := c.prior(ctx, table)
	if err != nil {
		return plan, err
	}
	src, err := c.open(ctx, run, source)
	if err != nil {
		return plan, err
	}
	defer src.Close()
	conn, err := c.streamSettings(source, stream)
	if err != nil {
		return plan, err
	}
	rewind := properties[rewindProperty]
	held := slices.Sorted(maps.Keys(prior.Scopes))
	if rewind != "" {
		prior.Cursor, prior.Scopes = "", nil
	}
	p, err := src.Plan(ctx, conn, prior)
	if err != nil {
		return plan, err
	}
	if len(p.Splits) == 0 && len(p.Drop) == 0 && p.Cursor == prior.Cursor && rewind == "" && prior.Schema != nil && !unpinned {
		return weir.StagePlan{Unchanged: true}, c.writeMissing(ctx, run, part, p)
	}
	if _, err := c.Lake.Ensure(ctx, schema.Named(quarantineTable)); err != nil {
		return plan, err // the commit names it, also where nothing is rejected
	}
	from, err := digest(prior.Cursor) // a name, not what it says
	if err != nil {
		return plan, err
	}
	return plan, c.writeOnce(ctx, plan.Spec, collectSpec{Run: run, Source: source.Name, Stream: stream.Name,
		Table: table, Plan: p, MayBeEmpty: stream.MayBeEmpty, ConsentKey: consentKey(stream), From: from, Anew: prior.Cursor == "", Drop: rewind == rewindDrop, Held: held, CollectedAt: after(run.Now, properties[collectedProperty])})
}

func consentKey(s project.Stream) []string {
	if s.Mapping.As != mapping.Consent {
		return nil
	}
	return s.Mapping.Key
}

// after is now, or the moment after the last sync if that is later.
func after(now time.Time, last string) time.Time {
	if t, err := time.Parse(time.RFC3339Nano, last); err == nil && !now.After(t) {
		return t.Add(time.Microsecond)
	}
	return now
}

// stream finds the declared stream of a part, "source/stream".
func (c *collect) stream(ctx context.Context, run weir.Run, part string) (project.Source, project.Stream, error) {
	name, streamName, _ := strings.Cut(part, "/")
	p, err := c.project(ctx, run.Project)
	if err != nil {
		return project.Source{}, project.Stream{}, err
	}
	source, ok := p.Source(name)
	if !ok {
		return source, project.Stream{}, weir.Errorf(weir.NotFound, "there is no source %q", name)
	}
	stream, ok := source.Stream(streamName)
	if !ok {
		return source, stream, weir.Errorf(weir.NotFound, "source %s has no stream %q", name, streamName)
	}
	return source, stream, nil
}

// open opens a source with its secrets filled in.
func (c *collect) open(ctx context.Context, run weir.Run, s project.Source) (connectors.Source, error) {
	p, err := c.project(ctx, run.Project)
	if err != nil {
		return nil, err
	}
	return c.OpenSource(ctx, p, s)
}

// OpenSource opens a declared source with its secrets filled in.
func (h *House) OpenSource(ctx context.Context, p *project.Project, s project.Source) (connectors.Source, error) {
	c, settings, err := h.configured(s.Connector, s.Config, s.At)
	if err != nil {
		return nil, err
	}
	if c.OpenSource == nil {
		return nil, connectors.Unsupported(c.Name, "be read from")
	}
	return c.OpenSource(ctx, connectors.Env{Dir: h.Dir, Name: s.Name, Timezone: p.Timezone, Region: p.DefaultRegion}, settings)
}

// OpenDestination opens a declared destination with its secrets filled in.
func (h *House) OpenDestination(ctx context.Context, p *project.Project, d project.Destination) (connectors.Destination, error) {
	c, settings, err := h.configured(d.Connector, d.Config, d.At)
	if err != nil {
		return nil, err
	}
	if c.OpenDestination == nil {
		return nil, connectors.Unsupported(c.Name, "be written to")
	}
	return c.OpenDestination(ctx, connectors.Env{Dir: h.Dir, Name: d.Name, Timezone: p.Timezone, Region: p.DefaultRegion}, settings)
}

func (h *House) configured(name string, raw map[string]any, at string) (connectors.Connector, connectors.Settings, error) {
	c, ok := h.Connectors[name]
	if !ok {
		return c, nil, weir.Errorf(weir.Invalid, "unknown connector %q", name).At(at)
	}
	resolved, err := h.Secrets.Settings(raw)
	if err != nil {
		return c, nil, err
	}
	settings, err := parse(c.Config, resolved, at)
	return c, settings, err
}

func parse(fields []connectors.Field, raw map[string]any, at string) (connectors.Settings, error) {
	settings, problems := connectors.ParseSettings(fields, raw)
	if len(problems) > 0 {
		return nil, weir.Errorf(weir.Invalid, "%s", problems[0].Error()).At(at)
	}
	return settings, nil
}

// streamSettings is a stream as its connector wants it.
func (h *House) streamSettings(source project.Source, s project.Stream) (connectors.Stream, error) {
	settings, err := parse(h.Connectors[source.Connector].Stream, s.Settings, s.At)
	return connectors.Stream{Name: s.Name, Settings: settings, Key: s.Mapping.Key, Types: s.Types, Mode: s.Mode, Cursor: s.Cursor, MayBeEmpty: s.MayBeEmpty}, err
}

// prior is what the raw table accounts for, and its properties. unpinned: readers
// don't see all of it, since the run that collected it never ended.
func (c *collect) prior(ctx context.Context, table string) (prior connectors.Prior, properties map[string]string, unpinned bool, err error) {
	t, err := c.Lake.Describe(ctx, table)
	if weir.CodeOf(err) == weir.NotFound {
		return prior, nil, false, nil
	}
	if err != nil {
		return prior, nil, false, err
	}
	if prior.Schema, err = sourceColumns(t).Arrow(); err != nil {
		return prior, nil, false, err
	}
	pins, err := c.Lake.Pins(ctx) // before the table: what is newer is not pinned
	if err != nil {
		return prior, nil, false, err
	}
	snap, err := c.Lake.Current(ctx, table)
	if err != nil {
		return prior, nil, false, err
	}
	prior.Cursor = snap.Properties[cursorProperty]
	held, err := c.Lake.Scopes(ctx, table, snap.ID)
	if err != nil {
		return prior, nil, false, err
	}
	prior.Scopes = make(map[string]string, len(held))
	for scope, version := range held {
		prior.Scopes[connectorName(scope)] = connectorName(version)
	}
	return prior, snap.Properties, snap.ID != pins[table], nil
}

// sourceColumns is a raw table without Weir's own columns.
func sourceColumns(t schema.Table) schema.Table {
	t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(c schema.Column) bool { return strings.HasPrefix(c.Name, "_weir_") })
	return t
}

func (c *collect) Commit(ctx context.Context, manifest string) (weir.StageRun, error) {
	var r result
	if err := c.readJSON(ctx, manifest, &r); err != nil {
		return weir.StageRun{}, err
	}
	return c.commit(ctx, r)
}

func (c *collect) Keep(ctx context.Context, run weir.Run, part string) (weir.StageRun, error) {
	missing, err := c.readMissing(ctx, run, part)
	if err != nil {
		return weir.StageRun{}, err
	}
	from, told, err := c.stillDropped(ctx, run, part)
	if err != nil {
		return weir.StageRun{}, err
	}
	return c.keepCounting(ctx, run, weir.Collect, part, map[string]int64{missingScopes: missing, droppedFrom: from}, told)
}

func (c *collect) Fail(ctx context.Context, run weir.Run, part, cause string) error {
	return c.fail(ctx, run, weir.Collect, part, cause)
}

// Rewind makes the next sync of a stream read everything again: with drop the
// rows collected before are replaced, without they stay until read again.
func (h *House) Rewind(ctx context.Context, run weir.Run, part string, drop bool) error {
	source, stream, _ := strings.Cut(part, "/")
	table := schema.RawName(source, stream)
	if _, err := h.Lake.Describe(ctx, table); weir.CodeOf(err) == weir.NotFound {
		return nil // nothing was collected: the next sync reads everything anyway
	}
	how := rewindForget
	if drop {
		how = rewindDrop
	}
	return h.commitProperties(ctx, run.CommitID(weir.Collect, part+"/rewind"), table, map[string]string{rewindProperty: how})
}
