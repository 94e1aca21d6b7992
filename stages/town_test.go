package stages

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/pipelines"
	conformer "github.com/weir-cdp/weir/pipelines/conform"
	resolver "github.com/weir-cdp/weir/pipelines/resolve"
	segments "github.com/weir-cdp/weir/pipelines/segment"
	unifier "github.com/weir-cdp/weir/pipelines/unify"
	"github.com/weir-cdp/weir/project"
)

// town is a world that goes through all stages, from what a source has.
type town struct {
	*world
	files map[string]page     // by stream: each is read whole again when it changes
	log   map[string][]string // by stream: rows are read once, from a cursor on
}

// page is a table of texts; a row of fewer cells than columns can't be read.
type page struct {
	columns []string
	rows    [][]string
}

var visits = page{columns: []string{"id", "email", "at"}}

func newTown(t *testing.T) *town {
	w := &town{world: newWorld(t), files: map[string]page{}, log: map[string][]string{}}
	w.Connectors["town"] = connectors.Connector{Name: "town", OpenSource: func(context.Context, connectors.Env, connectors.Settings) (connectors.Source, error) {
		return w, nil
	}}
	lines := map[weir.Stage]pipelines.Pipeline{weir.Conform: conformer.Pipeline, weir.Resolve: resolver.Pipeline, weir.Increment: resolver.Increment, weir.Unify: unifier.Pipeline, weir.Segment: segments.Pipeline, weir.SegmentIncrement: segments.Increment}
	w.Pipeline = func(ctx context.Context, key string, _ func(weir.Progress)) error {
		spec, err := pipelines.ReadSpec(ctx, w.store(), key)
		if err == nil {
			_, err = pipelines.RunLocal(ctx, w.store(), key, lines[spec.Stage], map[string]string{"workspace": "secret", "lineage": "secret"})
		}
		return err
	}
	mapping := func(stream, as string, ids, attributes, fields map[string]string) project.Stream {
		return project.Stream{Name: stream, Mapping: weir.Mapping{Source: "town", Stream: stream, As: as, Key: []string{"id"},
			Identifiers: ids, Attributes: attributes, Fields: fields, DefaultRegion: "FR"}}
	}
	email := map[string]string{"email": "email"}
	w.project.Sources = []project.Source{{Name: "town", Connector: "town", Streams: []project.Stream{
		mapping("people", "person", map[string]string{"email": "email", "phone": "phone"}, map[string]string{"email": "email", "given_name": "name", "country": "country", "birth_date": "born"}, nil),
		mapping("optins", "consent", email, nil, map[string]string{"purpose": "purpose", "channel": "'email'", "action": "action", "occurred_at": "at", "basis": "'consent'", "explicit": "true", "proof": "'form'", "jurisdiction": "'FR'"}),
		mapping("visits", "event", email, nil, map[string]string{"name": "'Visited'", "occurred_at": "at"}),
	}}}
	w.project.Identity = []weir.IdentityDef{{Kind: weir.Person, Order: []string{"email", "phone"},
		Identifiers: map[string]weir.IdentifierRule{"email": {}, "phone": {}}, Survivorship: weir.Survivorship{Default: []string{"latest"}}}}
	french := weir.Condition{Attribute: "country", Compare: []weir.Comparison{{Op: "is", Values: []string{"FR"}}}}
	came := weir.Condition{IsEvent: true, Event: "Visited", Within: 48 * time.Hour}
	w.project.Segments = []weir.SegmentDef{{Name: "all", Of: weir.Person, Where: french}, {Name: "came", Of: weir.Person, Where: came}}
	w.project.Traits = []weir.TraitDef{{Name: "visits", Of: weir.Person, Aggregate: "count", Field: "events", Event: "Visited"}}
	return w
}

func (w *town) Check(context.Context) error                               { return nil }
func (w *town) Close() error                                              { return nil }
func (w *town) Discover(context.Context) ([]connectors.Discovered, error) { return nil, nil }

func (w *town) Plan(_ context.Context, s connectors.Stream, prior connectors.Prior) (connectors.Plan, error) {
	p := connectors.Plan{Cursor: strconv.Itoa(len(w.log[s.Name]))}
	if f, ok := w.files[s.Name]; ok {
		if version := strconv.Itoa(len(fmt.Sprint(f.rows))); prior.Scopes["all"] != version {
			p.Splits = append(p.Splits, connectors.Split{ID: "all", Scope: "all", Version: version})
		}
	}
	from, _ := strconv.Atoi(prior.Cursor)
	if from < len(w.log[s.Name]) {
		p.Splits = append(p.Splits, connectors.Split{ID: "log", Detail: strconv.Itoa(from)})
	}
	return p, nil
}

func (w *town) Read(ctx context.Context, s connectors.Stream, _ connectors.Plan, split connectors.Split, out connectors.Sink) error {
	f, from := w.files[s.Name], 0
	if split.ID == "log" {
		from, _ = strconv.Atoi(split.Detail)
		f = page{columns: visits.columns}
		for _, line := range w.log[s.Name][from:] {
			f.rows = append(f.rows, strings.Fields(line))
		}
	}
	columns := make([]arrow.Field, len(f.columns))
	for i, name := range f.columns {
		columns[i] = arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}
	}
	var good [][]any
	var at []int64
	for i, row := range f.rows {
		if len(row) < len(columns) {
			if err := out.Reject(ctx, connectors.Rejection{Origin: fmt.Sprintf("%s:%d", s.Name, from+i), Reason: "ragged row", Excerpt: row[0], Withheld: true}); err != nil {
				return err
			}
			continue
		}
		cells := make([]any, len(row))
		for c, v := range row {
			cells[c] = v
		}
		good, at = append(good, cells), append(at, int64(from+i))
	}
	return out.Write(ctx, connectors.Batch{Rows: batch(columns, good), Origin: s.Name, Lines: at})
}

// year changes what the town's systems hold, so that each stage has new rows,
// profiles merge and part, and some of what is told can't be used.
func (w *town) year(n int) {
	people := page{columns: []string{"id", "email", "phone", "name", "country", "born"}}
	for i := range 12 {
		email, country := fmt.Sprintf("p%d@x.org", i), "FR"
		if n > 0 && i%4 == 1 {
			email = fmt.Sprintf("p%d@x.org", i-1) // becomes one with the neighbour
		}
		if n > 1 && i%4 == 1 {
			email = fmt.Sprintf("p%d@x.org", i) // and parts again
		}
		if i%5 == n {
			country = "BE"
		}
		born := "1990-01-02"
		if i == 3+n {
			born = "never"
		}
		people.rows = append(people.rows, []string{strconv.Itoa(i), email, fmt.Sprintf("+3361234%04d", i), strings.Repeat("o", 1+n) + strconv.Itoa(i), country, born})
	}
	people.rows = append(people.rows, []string{"ragged", strings.Repeat("x", n)})
	optins := page{columns: []string{"id", "email", "purpose", "action", "at"}}
	for i := range 12 {
		optins.rows = append(optins.rows, []string{strconv.Itoa(i), fmt.Sprintf("p%d@x.org", i), "marketing.newsletter", "granted", "2026-01-01T00:00:00Z"})
		if i < 3*n {
			optins.rows = append(optins.rows, []string{fmt.Sprint("w", i), fmt.Sprintf("p%d@x.org", i), "marketing.newsletter", "withdrawn", "2026-02-01T00:00:00Z"})
		}
	}
	w.files["people"], w.files["optins"] = people, optins
	for i := range 6 {
		w.log["visits"] = append(w.log["visits"], fmt.Sprintf("%d-%d p%d@x.org %s", n, i, (i+n)%12, w.at.Add(-time.Hour).Format(time.RFC3339)))
	}
	w.log["visits"] = append(w.log["visits"], "ragged "+strconv.Itoa(n))
}

// parts are all that a refresh of the town goes through.
var townParts = []struct {
	stage weir.Stage
	part  string
}{{weir.Collect, "town/people"}, {weir.Collect, "town/optins"}, {weir.Collect, "town/visits"}, {weir.Conform, ""}, {weir.Resolve, ""},
	{weir.Unify, ""}, {weir.Segment, ""}, {weir.Decide, ""}, {weir.Activate, "esp"}}

// attempt takes a stage through its steps; its commit is cut off when it is about
// to write the metadata of the n-th table (0: never).
func (w *town) attempt(stage weir.Stage, part string, n int64) error {
	w.runs++
	key, err := w.Apply(w.t.Context(), w.project)
	if err != nil {
		w.t.Fatal(err)
	}
	run := weir.Run{Workspace: "shop", ID: weir.NewRunID(w.at, fmt.Sprintf("w%03d", w.runs)), Now: w.at, Project: key}
	s := w.All()[stage]
	plan, err := s.Plan(w.t.Context(), run, part)
	if err != nil {
		w.t.Fatal(stage, part, err)
	}
	if plan.Unchanged {
		_, err := s.Keep(w.t.Context(), run, part)
		return err
	}
	manifest, err := s.Run(w.t.Context(), plan.Spec, func(weir.Progress) {})
	if err != nil {
		w.t.Fatal(stage, part, err)
	}
	err = w.crashing(n, func(ctx context.Context) error {
		_, err := s.Commit(ctx, manifest)
		return err
	})
	if err != nil && w.runs%2 == 0 { // else it dies without a word
		if err := s.Fail(w.t.Context(), run, part, "cut off"); err != nil {
			w.t.Fatal(err)
		}
	}
	return err
}

// A run that dies for good anywhere in its commits leaves nothing behind: the
// tables are those of runs that nobody disturbed (invariants 2 and 3).
func TestRunsThatDieBetweenCommitsLeaveNothing(t *testing.T) {
	calm, shaken := newTown(t), newTown(t)
	metadata := func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, ".metadata.json")
	}
	shaken.counts.Store(&metadata)
	died := map[weir.Stage]int{}
	for year := range 3 {
		for _, w := range []*town{calm, shaken} {
			w.at = noon.Add(time.Duration(year) * 24 * time.Hour)
			w.year(year)
		}
		for _, p := range townParts {
			if err := calm.attempt(p.stage, p.part, 0); err != nil {
				t.Fatal(p, err)
			}
			for n := int64(1); shaken.attempt(p.stage, p.part, n) != nil; n++ {
				died[p.stage]++
			}
		}
		if year == 1 { // small files are merged behind a dead run's back
			for _, table := range []string{"identity.merges", "segment.changes", "consent.decisions", "identity.links"} {
				if _, err := shaken.Lake.Compact(t.Context(), table, false); err != nil {
					t.Fatal(err)
				}
			}
		}
		want, got := calm.contents(), shaken.contents()
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("year %d (-undisturbed +shaken):\n%s", year, d)
		}
	}
	for stage, least := range map[weir.Stage]int{weir.Collect: 9, weir.Conform: 9, weir.Resolve: 6, weir.Unify: 6, weir.Segment: 6, weir.Decide: 6, weir.Activate: 2} {
		if died[stage] < least {
			t.Errorf("%s was cut off %d times", stage, died[stage])
		}
	}
	for _, table := range []string{"identity.merges", "segment.changes", "consent.decisions", "consent.classes", "activation.deliveries", quarantineTable} {
		if len(calm.contents()[table]) < 2 {
			t.Errorf("%s has next to no rows: the test shows nothing", table)
		}
	}
	if len(shaken.tool.wrong) > 0 {
		t.Errorf("the tool was told: %v", shaken.tool.wrong)
	}
}

// contents are the rows of all pinned tables, without what tells runs apart.
func (w *town) contents() map[string][]string {
	w.t.Helper()
	pins, err := w.Lake.Pins(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(pins))
	sess, _, err := w.attached(w.t.Context(), names, pins)
	if err != nil {
		w.t.Fatal(err)
	}
	defer sess.Close()
	out := map[string][]string{}
	for _, name := range names {
		left := "'run_id', 'decision_id', 'delivered_at', '_weir_collected_at', 'value_hash'"
		if name == "activation.deliveries" {
			left += ", 'at'" // when it was really sent
		}
		if name == ledgerTable || name == batchesTable { // what random salts and the clock make of it
			left += ", 'who', 'statement', 'sealed', 'commitment', 'leaf_hash', 'root', 'previous', 'chain', 'at', 'recorded_at'"
		}
		rows, err := column[string](w.t.Context(), sess, fmt.Sprintf("select r::varchar from (select columns(c -> c not in (%s)) from %s) r order by 1", left, name))
		if err != nil {
			w.t.Fatal(err)
		}
		out[name] = rows
	}
	return out
}
