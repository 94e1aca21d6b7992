package conform

import (
	"errors"
	"sort"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/conform/mapping"
)

// The tables that conform writes.
const (
	recordsTable    = "core.records"
	eventsTable     = "core.events"
	consentsTable   = "core.consents"
	quarantineTable = "ops.quarantine"
)

// SecretName is the workspace's secret that hashes personal keys; the pipeline
// process is started with it if any stream has one.
const SecretName = "workspace"

// Params are what a spec of conform carries beside its inputs.
type Params struct {
	Streams []StreamParams `json:"streams"`
	// Dropped are scopes (Scope) of streams that the project no longer has: their
	// rows leave the tables.
	Dropped []string `json:"dropped,omitempty"`
	// KeepExcerpts is how long after its collecting a bad value may be shown; 0:
	// always.
	KeepExcerpts time.Duration `json:"keep_excerpts,omitempty"`
}

// StreamParams is one stream and where its rows lie.
type StreamParams struct {
	Mapping  weir.Mapping `json:"mapping"`
	RawTable string       `json:"raw_table"`
	Version  string       `json:"version"` // of the mapping, in core.consents
}

// Scope is a stream's part of the tables.
func Scope(source, stream string) string { return source + "/" + stream }

// Pipeline is the stage.
var Pipeline = pipelines.Pipeline{
	Stage:   weir.Conform,
	Sources: []string{"raw.*"},
	Steps:   []pipelines.Step{{Name: "map", Run: mapRows}, {Name: "settle", Run: settle}},
	Outputs: outputs,
}

// outputs declares all scopes of all tables: a stream that changed its kind, or
// has no row left, empties the scope that it had.
func outputs(spec *pipelines.Spec) ([]weir.TableFiles, error) {
	p, err := decode(spec)
	if err != nil {
		return nil, err
	}
	var out []weir.TableFiles
	replace := func(scope string) {
		for _, table := range []string{recordsTable, eventsTable, consentsTable} {
			out = append(out, weir.TableFiles{Table: table, Scope: scope, Replace: true})
		}
		out = append(out, weir.TableFiles{Table: quarantineTable, Scope: string(weir.Conform) + "/" + scope, Replace: true})
	}
	for _, s := range p.Streams {
		replace(Scope(s.Mapping.Source, s.Mapping.Stream))
	}
	for _, scope := range p.Dropped {
		replace(scope)
	}
	return out, nil
}

// Columns lists a raw table's columns as mappings see them.
func Columns(raw schema.Table) []mapping.Column {
	out := make([]mapping.Column, len(raw.Columns))
	for i, c := range raw.Columns {
		out[i] = mapping.Column{Name: c.Name, Kind: kindOf(c.Type)}
	}
	return out
}

func kindOf(t schema.Type) mapping.Kind {
	switch t {
	case schema.Long, schema.Int:
		return mapping.Int
	case schema.Double:
		return mapping.Double
	case schema.Boolean:
		return mapping.Bool
	case schema.Date:
		return mapping.Day
	case schema.Timestamp, schema.LocalTimestamp:
		return mapping.Instant
	}
	if _, _, ok := t.Decimal(); ok {
		return mapping.Decimal
	}
	if _, ok := t.Element(); ok {
		return mapping.List
	}
	if _, _, ok := t.KeyValue(); ok {
		return mapping.Map
	}
	return mapping.Text
}

// Check finds what is wrong with a stream's mapping over its raw table. A plan
// leaves a stream with errors out of Params, so that its tables stay as they are
// and the other streams go on.
func Check(m weir.Mapping, raw schema.Table) error {
	errs := mapping.Check(m, Columns(raw))
	if _, err := location(m); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func location(m weir.Mapping) (*time.Location, error) {
	loc, err := time.LoadLocation(m.Timezone) // "" is UTC
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "there is no time zone %q", m.Timezone).
			At(Scope(m.Source, m.Stream)).Then("name one of the zone database, as Europe/Paris")
	}
	return loc, nil
}

// placement gives each stream its own range of partitions, sized by its rows: a
// small stream does not make as many files as a big one.
type placement struct {
	first []int // by stream
	count []int
}

func place(spec *pipelines.Spec, streams []StreamParams) placement {
	var p placement
	next := 0
	for _, s := range streams {
		var rows int64
		for _, f := range spec.Inputs[s.RawTable] {
			rows += f.Rows
		}
		n := 1 // doubling, so that a few more rows move no other to another file
		for n < pipelines.Partitions(rows) {
			n *= 2
		}
		p.first, p.count = append(p.first, next), append(p.count, n)
		next += n
	}
	return p
}

// of returns the partition of a stream's row.
func (p placement) of(stream int, id string) int {
	return p.first[stream] + pipelines.PartitionOf(id, p.count[stream])
}

// stream returns whose partition it is.
func (p placement) stream(partition int) int {
	return sort.Search(len(p.first), func(i int) bool { return p.first[i] > partition }) - 1
}
