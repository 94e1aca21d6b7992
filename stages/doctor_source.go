package stages

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse/schema"
	conformer "github.com/weir-cdp/weir/pipelines/conform"
	"github.com/weir-cdp/weir/pipelines/conform/mapping"
	"github.com/weir-cdp/weir/project"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Source looks whether a source answers, and at each stream: whether there is
// something to read, its columns, and its mapping.
func (c Checkup) Source(ctx context.Context, s project.Source) []Finding {
	part := "source " + s.Name
	if c.unset(s.Config) {
		return nil // Secrets tells of it
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	src, err := c.House.OpenSource(ctx, c.Project, s)
	if err != nil {
		return []Finding{wrong(part, err, s.At, "check config in "+s.At)}
	}
	defer src.Close()
	if err := src.Check(ctx); err != nil {
		return []Finding{wrong(part, timely(ctx, err), s.At, "check config in "+s.At)}
	}
	out := []Finding{good(part, "answers")}
	for _, t := range s.Streams {
		out = append(out, c.stream(ctx, src, s, t)...)
	}
	return out
}

// How much of a stream is read to see its columns.
const (
	sampleSplits = 8
	sampleRows   = 20_000
)

func (c Checkup) stream(ctx context.Context, src connectors.Source, s project.Source, t project.Stream) []Finding {
	part := "stream " + s.Name + "/" + t.Name
	conn, err := c.House.streamSettings(s, t)
	if err != nil {
		return []Finding{wrong(part, err, t.At, "")}
	}
	look, err := sample(ctx, src, conn, c.check(t.Mapping))
	if err != nil {
		f := wrong(part, timely(ctx, err), t.At, "check the stream's settings at "+t.At)
		if there := c.offered(ctx, src); there != "" {
			f.Next = strings.TrimPrefix(f.Next+"; ", "; ") + "there is: " + there
		}
		return []Finding{f}
	}
	if len(look.fields) == 0 && look.failed != nil {
		f := wrong(part, look.failed, t.At, "check the stream's settings at "+t.At)
		if f.Where != t.At {
			f.Next += " (the stream is at " + t.At + ")"
		}
		return []Finding{f}
	}
	if len(look.fields) == 0 && look.rejected > 0 {
		return []Finding{look.unreadable(part, t.At)}
	}
	if len(look.fields) == 0 {
		next := "check the path or table at " + t.At
		if there := c.offered(ctx, src); there != "" {
			next += "; there is: " + there
		}
		return []Finding{{part, Warn, "there is nothing to read", t.At, next}}
	}
	var out []Finding
	if look.rejected > 0 {
		out = append(out, look.unreadable(part, t.At))
	}
	out = append(out, look.check.findings(part, func(key string) string {
		return orElse(c.Project.Place("source "+s.Name, "streams."+t.Name+"."+key), t.At)
	})...)
	out = append(out, c.columns(part, s, t, look)...)
	if len(out) == 0 {
		out = append(out, good(part, "%d columns, key and mapping fit", len(look.fields)))
	}
	return out
}

// unreadable tells of rows and values that the connector rejects.
func (s *sampled) unreadable(part, at string) Finding {
	f := Finding{part, Warn, fmt.Sprintf("%d of the first %d rows or values can't be read, the first at %s: %s", s.rejected, s.rows+s.rejected, s.first.Origin, reason(s.first)), at,
		"they would go to ops.quarantine; check delimiter, encoding and types of the stream"}
	if s.rows == 0 {
		f.Status = Bad
	}
	return f
}

// check is of a stream's rows; without a clock values are not looked at.
func (c Checkup) check(m weir.Mapping) *rowCheck {
	check := &rowCheck{mapping: m}
	if c.House.Clock != nil {
		check.now = c.House.Clock()
	}
	return check
}

func reason(r connectors.Rejection) string {
	if r.Field == "" {
		return r.Reason
	}
	return r.Field + " " + r.Reason
}

// offered names some of what the source has.
func (c Checkup) offered(ctx context.Context, src connectors.Source) string {
	found, err := src.Discover(ctx)
	if err != nil || len(found) == 0 {
		return ""
	}
	var names []string
	for _, d := range found[:min(len(found), 8)] {
		names = append(names, d.Name)
	}
	return strings.Join(names, ", ")
}

// columns compares what a stream declares with the columns that were found.
func (c Checkup) columns(part string, s project.Source, t project.Stream, look *sampled) []Finding {
	names := look.names()
	place := func(key string) string {
		return orElse(c.Project.Place("source "+s.Name, "streams."+t.Name+"."+key), t.At)
	}
	missing := func(what, key, column string) Finding {
		f := Finding{part, Bad, fmt.Sprintf("%s %q is not among the columns", what, column), place(key), "there are: " + strings.Join(names[:min(len(names), 30)], ", ")}
		if near := connectors.Nearest(column, names); near != "" {
			f.Next = "did you mean " + near + "? " + f.Next
		}
		if !look.whole {
			f.Status, f.What = Warn, f.What+fmt.Sprintf(" of the first %d rows", look.rows)
		}
		return f
	}
	var out []Finding
	for _, k := range t.Mapping.Key {
		if !slices.Contains(names, k) {
			out = append(out, missing("key column", "key", k))
		}
	}
	if t.Cursor != "" && !slices.Contains(names, t.Cursor) {
		out = append(out, missing("cursor", "sync.cursor", t.Cursor))
	}
	for _, column := range sortedKeys(t.Types) {
		if !slices.Contains(names, column) {
			out = append(out, missing("typed column", "types."+column, column))
		}
	}
	if len(out) > 0 {
		return out // the mapping would only say the same again
	}
	table, err := schema.Raw(schema.RawName("doctor", t.Name), arrow.NewSchema(look.fields, nil))
	if err != nil {
		return []Finding{wrong(part, err, t.At, "rename or leave out the column at the source")}
	}
	own := t.Mapping
	own.Attributes = maps.Clone(own.Attributes)
	maps.DeleteFunc(own.Attributes, func(name, value string) bool { return own.Identifiers[name] == value }) // the identifier's mistake is told
	for _, err := range mapping.Check(own, conformer.Columns(table)) {
		f := wrong(part, err, t.At, "")
		f.Where, f.What = mapped(f, s.Name+"/"+t.Name, place)
		if !look.whole {
			f.Status = Warn // the column may come later
		}
		f.Next = orElse(f.Next, "there are: "+strings.Join(names[:min(len(names), 30)], ", "))
		out = append(out, f)
	}
	return out
}

// mapped gives the file and line of a mapping's mistake, whose place is the key below
// the stream, and puts that key into words.
func mapped(f Finding, stream string, place func(key string) string) (where, what string) {
	key := strings.TrimPrefix(strings.TrimPrefix(f.Where, stream), ": ")
	if key == "" || strings.Contains(key, ":") {
		return place("map"), f.What
	}
	if key != "key" && key != "where" && !strings.HasPrefix(key, "map") {
		return place("map." + key), key + ": " + f.What
	}
	return place(key), key + ": " + f.What
}

// sampled is what the first rows of a stream show.
type sampled struct {
	fields   []arrow.Field // of all batches, in the order in which they came
	rows     int64
	rejected int64
	first    connectors.Rejection
	whole    bool  // everything was read
	failed   error // of the first split that can't be read at all
	check    *rowCheck
}

func (s *sampled) names() []string {
	var out []string
	for _, f := range s.fields {
		out = append(out, f.Name)
	}
	return out
}

var errEnough = errors.New("enough")

// Write implements connectors.Sink.
func (s *sampled) Write(_ context.Context, b connectors.Batch) error {
	for _, f := range b.Rows.Schema().Fields() {
		if !slices.Contains(s.names(), f.Name) {
			s.fields = append(s.fields, f)
		}
	}
	s.check.look(b)
	if s.rows += b.Rows.NumRows(); s.rows >= sampleRows {
		return errEnough
	}
	return nil
}

// Reject implements connectors.Sink.
func (s *sampled) Reject(_ context.Context, r connectors.Rejection) error {
	if s.rejected == 0 {
		s.first = r
	}
	if s.rejected++; s.rejected+s.rows >= sampleRows {
		return errEnough
	}
	return nil
}

// sample reads a stream's first rows.
func sample(ctx context.Context, src connectors.Source, stream connectors.Stream, check *rowCheck) (*sampled, error) {
	plan, err := src.Plan(ctx, stream, connectors.Prior{})
	if err != nil {
		return nil, err
	}
	out := &sampled{whole: len(plan.Splits) <= sampleSplits, check: check}
	for _, split := range plan.Splits[:min(len(plan.Splits), sampleSplits)] {
		err := src.Read(ctx, stream, plan, split, out)
		switch {
		case errors.Is(err, errEnough):
			out.whole = false
			return out, nil
		case weir.CodeOf(err) == weir.Invalid && split.Scope != "":
			// one file that can't be read stops no other
			if out.failed == nil {
				out.failed = err
			}
			if enough := out.Reject(ctx, connectors.Rejection{Origin: split.Scope, Reason: err.Error()}) != nil; enough {
				return out, nil //nolint:nilerr // what fails is told in out
			}
		case err != nil:
			return nil, err
		}
	}
	return out, nil
}
