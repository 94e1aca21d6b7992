package stages

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/project"
)

// This file builds the timelines: profiles with their attributes, and their events
// in order, as columns in local files, so that a question about all of them reads
// only what it asks about.
//
// They follow from three tables at their snapshots and from the order of
// identifiers, and are named by those: new data make new timelines, and the old
// ones are removed. Whose an event is, is decided as in the segment stage (own and
// choose there): its strongest unambiguous identifier's.

// timelineTables are those that timelines follow from.
var timelineTables = []string{"core.profiles", "core.events", "identity.identifiers"}

// timelinesVersion grows when the files change their form.
const timelinesVersion = 1

// How rows are grouped in the files: a group of profiles is what one worker looks
// at at once.
const (
	timelineProfiles = 32_768
	timelineEvents   = 122_880
)

// mostProperties bounds the columns of events' properties.
const mostProperties = 1000

// timelineIndex is what index.json says of the files beside it.
type timelineIndex struct {
	Attributes []string `json:"attributes"` // the column of the n-th is an
	Properties []string `json:"properties"` // that of the n-th is pn
	Names      []string `json:"names"`      // of events, by their number
	Profiles   int64    `json:"profiles"`
	Events     int64    `json:"events"` // that belong to a profile
}

const (
	timelineIndexFile    = "index.json"
	timelineProfilesFile = "profiles.parquet"
	timelineEventsFile   = "events.parquet"
)

// timelines opens the timelines of the tables as they are pinned, after building
// them if they are not there. Progress is told of the building alone.
func (h *House) timelines(ctx context.Context, p *project.Project, progress func(weir.Progress)) (*timelineFiles, error) {
	pins, err := h.Lake.Pins(ctx)
	if err != nil {
		return nil, err
	}
	if pins["core.profiles"] == 0 {
		return nil, weir.Errorf(weir.NotFound, "there are no profiles yet").Then("weir run")
	}
	of := []any{timelinesVersion, p.IdentifierKinds()}
	for _, t := range timelineTables {
		of = append(of, pins[t])
	}
	name, err := digest(of)
	if err != nil {
		return nil, err
	}
	if h.Timelines == "" {
		return nil, weir.Errorf(weir.Internal, "this house keeps no timelines")
	}
	dir := filepath.Join(h.Timelines, name[:24])
	if _, err := os.Stat(filepath.Join(dir, timelineIndexFile)); err != nil {
		if err := h.buildTimelines(ctx, p, pins, dir, progress); err != nil {
			return nil, err
		}
	}
	return openTimelines(dir)
}

// buildTimelines writes the files beside their place and moves them there whole.
func (h *House) buildTimelines(ctx context.Context, p *project.Project, pins map[string]int64, dir string, progress func(weir.Progress)) error {
	if err := os.MkdirAll(h.Timelines, 0o700); err != nil {
		return weir.Errorf(weir.Invalid, "timelines can't be kept: %w", err).At(h.Timelines)
	}
	old, err := filepath.Glob(filepath.Join(h.Timelines, "*"))
	if err != nil {
		return weir.Errorf(weir.Internal, "timelines: %w", err)
	}
	tmp, err := os.MkdirTemp(h.Timelines, "building-")
	if err != nil {
		return weir.Errorf(weir.Invalid, "timelines can't be kept: %w", err).At(h.Timelines)
	}
	defer os.RemoveAll(tmp)
	sess, have, err := h.attached(ctx, timelineTables, pins)
	if err != nil {
		return err
	}
	defer sess.Close()
	b := timelineBuilder{sess: sess, dir: tmp, kinds: p.IdentifierKinds(), profiles: have["core.profiles"], progress: progress}
	if err := b.build(ctx); err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		if _, there := os.Stat(filepath.Join(dir, timelineIndexFile)); there == nil {
			return nil // another process was faster
		}
		return weir.Errorf(weir.Invalid, "timelines can't be kept: %w", err).At(dir)
	}
	for _, was := range old { // of tables that were; one that is being built is another process's
		if !strings.HasPrefix(filepath.Base(was), "building-") {
			if err := os.RemoveAll(was); err != nil {
				h.Log.WarnContext(ctx, "old timelines can't be removed", "error", err)
			}
		}
	}
	return nil
}

type timelineBuilder struct {
	sess     *sql.Internal
	dir      string
	kinds    []string
	profiles schema.Table
	index    timelineIndex
	progress func(weir.Progress)
}

// build runs its steps one after the other: large sorts are DuckDB's, which spills.
func (b *timelineBuilder) build(ctx context.Context) error {
	for i, step := range []struct {
		what string
		do   func(context.Context) error
	}{{"what events hold", b.survey}, {"whose events they are", b.own}, {"events in order", b.writeEvents}, {"profiles", b.writeProfiles}} {
		if b.progress != nil {
			b.progress(weir.Progress{Done: int64(i), Total: 4, Unit: "steps", Note: step.what})
		}
		if err := step.do(ctx); err != nil {
			return err
		}
	}
	text, err := json.Marshal(b.index)
	if err != nil {
		return weir.Errorf(weir.Internal, "timelines: %w", err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, timelineIndexFile), text, 0o600); err != nil {
		return weir.Errorf(weir.Invalid, "timelines can't be kept: %w", err).At(b.dir)
	}
	return nil
}

func (b *timelineBuilder) exec(ctx context.Context, queries ...string) error {
	for _, q := range queries {
		if _, err := b.sess.Exec(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// survey finds the names and properties of events, and numbers the profiles.
func (b *timelineBuilder) survey(ctx context.Context) error {
	var err error
	if b.index.Properties, err = column[string](ctx, b.sess, "select distinct unnest(map_keys(properties)) as k from core.events order by k"); err != nil {
		return err
	}
	if len(b.index.Properties) > mostProperties {
		return weir.Errorf(weir.Invalid, "events have %d different properties; live counts keep %d at most", len(b.index.Properties), mostProperties)
	}
	if err := b.exec(ctx, "create table names as select name, cast(row_number() over (order by name) - 1 as integer) as number from (select distinct name from core.events)",
		"create table people as select profile_id, cast(row_number() over (order by profile_id) - 1 as bigint) as place from core.profiles"); err != nil {
		return err
	}
	b.index.Names, err = column[string](ctx, b.sess, "select name from names order by number")
	return err
}

// own finds the profile of each event: of one with a single identifier by a join,
// of others by the strongest identifier that leads to a profile.
func (b *timelineBuilder) own(ctx context.Context) error {
	kinds, err := json.Marshal(b.kinds)
	if err != nil {
		return weir.Errorf(weir.Internal, "identifier kinds: %w", err)
	}
	return b.exec(ctx,
		"create table owners as select kind, value, profile_id from identity.identifiers where not ambiguous and profile_id <> '' and value <> ''",
		"create view single as select * from core.events where "+oneIdentifier,
		"create view several as select * from core.events where not ("+oneIdentifier+")",
		`create table chosen as with claims as (select event_id, e.key as kind, unnest(e.value) as value from (select event_id, unnest(map_entries(identifiers)) as e from several))
			select event_id, arg_min(profile_id, (coalesce(nullif(list_position(cast(`+sql.QuoteText(string(kinds))+`::json as varchar[]), kind), 0), 1000000), kind, value)) as profile_id
			from claims join owners using (kind, value) group by event_id`)
}

// oneIdentifier holds of an event with one kind of identifier and one value of it.
const oneIdentifier = "coalesce(cardinality(identifiers) = 1 and len(map_values(identifiers)[1]) = 1, false)"

func (b *timelineBuilder) writeEvents(ctx context.Context) error {
	columns := `p.place, epoch_us(e.occurred_at) as "at", n.number as name, e.event_id`
	kept := `place, "at", name`
	for i, name := range b.index.Properties {
		columns += fmt.Sprintf(", coalesce(e.properties[%s], '') as p%d", sql.QuoteText(name), i)
		kept += fmt.Sprintf(", p%d", i)
	}
	if err := b.exec(ctx, fmt.Sprintf(`copy (select %s from (
			select %s from single e join owners o on o.kind = map_keys(e.identifiers)[1] and o.value = map_values(e.identifiers)[1][1]
				join people p on p.profile_id = o.profile_id join names n on n.name = e.name
			union all select %s from several e join chosen c using (event_id) join people p on p.profile_id = c.profile_id join names n on n.name = e.name)
		order by place, "at", event_id) to %s (format parquet, compression snappy, row_group_size %d)`,
		kept, columns, columns, b.file(timelineEventsFile), timelineEvents)); err != nil {
		return err
	}
	n, err := column[int64](ctx, b.sess, "select count(*) from read_parquet("+b.file(timelineEventsFile)+")")
	if err == nil {
		b.index.Events = n[0]
	}
	return err
}

func (b *timelineBuilder) writeProfiles(ctx context.Context) error {
	columns := "p.profile_id, p.kind, coalesce(c.events, 0) as events"
	for i, c := range b.profiles.Attributes() {
		b.index.Attributes = append(b.index.Attributes, c.Name)
		columns += fmt.Sprintf(", coalesce(%s, '') as a%d", attributeText("p."+quote(c.Name), c.Type), i)
	}
	if err := b.exec(ctx, fmt.Sprintf(`copy (select %s from core.profiles p join people o using (profile_id)
			left join (select place, count(*) as events from read_parquet(%s) group by place) c on c.place = o.place order by o.place)
		to %s (format parquet, compression snappy, row_group_size %d)`, columns, b.file(timelineEventsFile), b.file(timelineProfilesFile), timelineProfiles)); err != nil {
		return err
	}
	n, err := column[int64](ctx, b.sess, "select count(*) from people")
	if err == nil {
		b.index.Profiles = n[0]
	}
	return err
}

func (b *timelineBuilder) file(name string) string {
	return sql.QuoteText(filepath.Join(b.dir, name))
}

// attributeText is an attribute's canonical text, as records and rules have it.
func attributeText(column string, t schema.Type) string {
	if t == schema.Boolean {
		return "cast(" + column + " as varchar)"
	}
	return "substr(" + jsonValue(column, t) + ", 2)" // without the mark
}
