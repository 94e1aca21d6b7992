package conform

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines"
)

// TestMain is also the main function of the pipeline processes.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "pipeline" {
		if err := pipelines.Main(context.Background(), pipelines.Direct{}, os.Args[2], map[weir.Stage]pipelines.Pipeline{weir.Conform: Pipeline}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// lake is an object store with raw tables to conform.
type lake struct {
	t        *testing.T
	config   object.Config
	store    *object.Store
	params   Params
	inputs   map[string][]weir.DataFile
	schemas  map[string]schema.Table
	attempts int
}

func newLake(t *testing.T) *lake {
	t.Helper()
	server := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	t.Cleanup(server.Close)
	l := &lake{t: t, inputs: map[string][]weir.DataFile{}, schemas: map[string]schema.Table{}, config: object.Config{
		Endpoint: server.URL, Bucket: "lake", AccessKey: "k", SecretKey: "s", PathStyle: true, Retries: 2}}
	if err := object.CreateBucket(t.Context(), l.config); err != nil {
		t.Fatal(err)
	}
	var err error
	if l.store, err = object.Open(t.Context(), l.config); err != nil {
		t.Fatal(err)
	}
	for _, d := range schema.Fixed() {
		l.schemas[d.Name] = d.WithIDs()
	}
	return l
}

// collected are rows of one collect of a raw table, as JSON objects; _line gives
// a row's place, _op its operation.
type collected struct {
	at     time.Time
	origin string
	rows   string // one JSON object a line
}

// stream adds a stream whose raw table has the given columns and files.
func (l *lake) stream(m weir.Mapping, columns []schema.Column, files ...collected) {
	l.t.Helper()
	raw := schema.Table{Name: schema.RawName(m.Source, m.Stream), Columns: append(append([]schema.Column(nil), columns...),
		schema.Column{Name: schema.RowID, Type: schema.Text}, schema.Column{Name: schema.CollectedAt, Type: schema.Timestamp},
		schema.Column{Name: schema.Origin, Type: schema.Text}, schema.Column{Name: schema.RowOp, Type: schema.Text})}
	raw = raw.WithIDs()
	l.schemas[raw.Name] = raw
	l.inputs[raw.Name] = nil
	for i, f := range files {
		l.land(raw, fmt.Sprint("f", i), f)
	}
	l.params.Streams = append(l.params.Streams, StreamParams{Mapping: m, RawTable: raw.Name, Version: "v1"})
	types := map[string]weir.AttributeType{}
	for _, s := range l.params.Streams {
		for a := range s.Mapping.Attributes {
			types[a] = s.Mapping.AttributeTypes[a]
			if types[a] == "" {
				types[a] = weir.Text
			}
		}
	}
	l.schemas[recordsTable] = schema.Records(types).WithIDs()
}

func (l *lake) land(raw schema.Table, scope string, f collected) {
	l.t.Helper()
	as, err := raw.Arrow()
	if err != nil {
		l.t.Fatal(err)
	}
	var rows []map[string]any
	for i, line := range strings.Split(strings.TrimSpace(f.rows), "\n") {
		if line == "" {
			continue
		}
		row := map[string]any{}
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&row); err != nil {
			l.t.Fatal(line, err)
		}
		op, _ := row["_op"].(string)
		if op == "" {
			op = "upsert"
		}
		delete(row, "_op")
		row[schema.RowID] = fmt.Sprintf("%s#%d", scope, i)
		row[schema.CollectedAt] = f.at.Format("2006-01-02T15:04:05Z")
		row[schema.Origin] = fmt.Sprintf("%s:%d", f.origin, i+2)
		row[schema.RowOp] = op
		rows = append(rows, row)
	}
	text, err := json.Marshal(rows)
	if err != nil {
		l.t.Fatal(err)
	}
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, as, bytes.NewReader(text))
	if err != nil {
		l.t.Fatal(err)
	}
	defer batch.Release()
	w, err := rowfile.NewArrowWriter(l.t.Context(), l.store, raw, as, scope)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := w.Write(batch); err != nil {
		l.t.Fatal(err)
	}
	files, err := w.Close()
	if err != nil {
		l.t.Fatal(err)
	}
	l.inputs[raw.Name] = append(l.inputs[raw.Name], files...)
}

var secrets = map[string]string{SecretName: "pepper"}

func (l *lake) plan() string {
	l.t.Helper()
	l.attempts++
	params, err := json.Marshal(l.params)
	if err != nil {
		l.t.Fatal(err)
	}
	key := fmt.Sprintf("specs/%d.json", l.attempts)
	err = pipelines.WriteSpec(l.t.Context(), l.store, key, &pipelines.Spec{
		Run: weir.Run{Workspace: "shop", ID: "20260301T120000Z-a", Now: now}, Stage: weir.Conform, Inputs: l.inputs, Schemas: l.schemas,
		Params: params, Partitions: 1, Scratch: fmt.Sprintf("scratch/%d", l.attempts), Manifest: fmt.Sprintf("manifests/%d.json", l.attempts)})
	if err != nil {
		l.t.Fatal(err)
	}
	return key
}

func (l *lake) run() weir.Manifest {
	l.t.Helper()
	m, err := pipelines.RunLocal(l.t.Context(), l.store, l.plan(), Pipeline, secrets)
	if err != nil {
		l.t.Fatal(err)
	}
	return m
}

// rows reads all rows that a manifest has of a table.
func rows[T any](l *lake, m weir.Manifest, table string) []T {
	l.t.Helper()
	var out []T
	for _, tf := range m.Tables {
		if tf.Table != table {
			continue
		}
		if !tf.Replace {
			l.t.Errorf("%s %s is appended to", tf.Table, tf.Scope)
		}
		for row, err := range rowfile.Scan[T](l.t.Context(), l.store, l.schemas[table], tf.Files) {
			if err != nil {
				l.t.Fatal(err)
			}
			out = append(out, row)
		}
	}
	return out
}

func (l *lake) same(what string, got, want any) {
	l.t.Helper()
	g, err := json.MarshalIndent(got, "", " ")
	if err != nil {
		l.t.Fatal(err)
	}
	w, err := json.MarshalIndent(want, "", " ")
	if err != nil {
		l.t.Fatal(err)
	}
	if string(g) != string(w) {
		l.t.Errorf("%s:\ngot  %s\nwant %s", what, g, w)
	}
}

func column(name string, t schema.Type) schema.Column { return schema.Column{Name: name, Type: t} }

func texts(names ...string) []schema.Column {
	var out []schema.Column
	for _, n := range names {
		out = append(out, column(n, schema.Text))
	}
	return out
}
