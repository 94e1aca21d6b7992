package readers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// python finds an interpreter with what a reader needs.
func python(t *testing.T, variable, target string) string {
	t.Helper()
	if p := os.Getenv(variable); p != "" {
		return p
	}
	p := filepath.Join(cache(t, strings.TrimSuffix(target, "-env")), "bin", "python")
	if _, err := os.Stat(p); err != nil {
		t.Skipf("the reader's Python is not installed: run `make %s`, or set %s", target, variable)
	}
	return p
}

func cache(t *testing.T, name string) string {
	t.Helper()
	p, err := filepath.Abs(filepath.Join("..", "..", ".cache", name))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type rows []map[string]any

func TestForeignReaders(t *testing.T) {
	c := config(t)
	want := write(t, c)
	connection, err := json.Marshal(map[string]string{"endpoint": c.Object.Endpoint, "region": c.Object.Region,
		"access_key": c.Object.AccessKey, "secret_key": c.Object.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "connection.json")
	if err := os.WriteFile(file, connection, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, reader := range []struct{ script, variable, target string }{
		{"read_pyiceberg.py", "WEIR_PYTHON", "readers-env"},
		{"read_duckdb.py", "WEIR_PYTHON", "readers-env"},
		{"read_spark.py", "WEIR_SPARK_PYTHON", "spark-env"},
	} {
		t.Run(strings.TrimSuffix(reader.script, ".py"), func(t *testing.T) {
			cmd := exec.Command(python(t, reader.variable, reader.target), reader.script, c.Catalog.Path, file)
			if os.Getenv("WEIR_SPARK_JARS") == "" {
				cmd.Env = append(os.Environ(), "WEIR_SPARK_JARS="+filepath.Join(cache(t, "spark"), "jars"))
			}
			var out, problems bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &problems
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v\n%s", err, problems.String())
			}
			var got map[string]rows
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatalf("%v in %s", err, out.String())
			}
			for name := range got {
				sortRows(got[name])
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("rows (-written +read):\n%s", d)
			}
		})
	}
}

func config(t *testing.T) lakehouse.Config {
	t.Helper()
	backend := s3mem.New()
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	if err := backend.CreateBucket("lake"); err != nil {
		t.Fatal(err)
	}
	return lakehouse.Config{
		Object: object.Config{Endpoint: server.URL, Bucket: "lake", Prefix: "shop", Region: "us-east-1",
			AccessKey: "key", SecretKey: "secret", PathStyle: true},
		Catalog: lakehouse.CatalogConfig{Path: filepath.Join(t.TempDir(), "catalog.db")},
	}
}

// lake writes tables as stages do.
type lake struct {
	*lakehouse.Lake
	t   *testing.T
	ctx context.Context
}

func put[T any](l lake, tab schema.Table, scope string, in []T) []weir.DataFile {
	l.t.Helper()
	w, err := rowfile.NewTableWriter[T](l.ctx, l.Store(), tab, scope)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, r := range in {
		if err := w.Write(r); err != nil {
			l.t.Fatal(err)
		}
	}
	files, err := w.Close()
	if err != nil {
		l.t.Fatal(err)
	}
	return files
}

func (l lake) ensure(want schema.Table) schema.Table {
	l.t.Helper()
	got, err := l.Ensure(l.ctx, want)
	if err != nil {
		l.t.Fatal(err)
	}
	return got
}

func (l lake) replace(id, table, scope string, files []weir.DataFile) int64 {
	l.t.Helper()
	s, err := l.Commit(l.ctx, lakehouse.Commit{ID: id, Table: table,
		Scopes:     []weir.TableFiles{{Table: table, Scope: scope, Replace: true, Files: files}},
		Properties: map[string]string{"weir.cursor": id}})
	if err != nil {
		l.t.Fatal(err)
	}
	return s.ID
}

func (l lake) record(id string, minute int, status string, pins map[string]int64) {
	l.t.Helper()
	at := time.Date(2026, 5, 4, 12, minute, 0, 0, time.UTC)
	if err := l.RecordRun(l.ctx, weir.StageRun{RunID: weir.RunID(id), Stage: weir.Conform, StartedAt: at, EndedAt: at, Now: at,
		Status: status, Snapshots: pins}); err != nil {
		l.t.Fatal(err)
	}
}

// write makes tables with what foreign readers could trip over: a scope replaced,
// one without rows, files of two schemas, a widened type, decimals, lists, maps,
// compaction, an expired snapshot, and commits that no run has pinned.
func write(t *testing.T, c lakehouse.Config) map[string]rows {
	ctx := context.Background()
	open, err := lakehouse.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { open.Close() })
	l := lake{open, t, ctx}

	var want = map[string]rows{}
	first := l.ensure(schema.Records(map[string]weir.AttributeType{"given_name": weir.Text}))
	rec := func(n int, attributes map[string]string) weir.Record {
		return weir.Record{ID: fmt.Sprintf("crm/contacts/%d", n), Kind: weir.Person, Source: "crm", Stream: "contacts",
			ObservedAt: time.Date(2026, 1, n, 8, 30, 0, 250_000_000, time.UTC), Attributes: attributes,
			Identifiers: weir.Identifiers{"email": {fmt.Sprint(n, "@x.fr"), fmt.Sprint(n, "@y.fr")}}}
	}
	row := func(n int, name, birth, score any) map[string]any {
		return map[string]any{"record_id": fmt.Sprintf("crm/contacts/%d", n), "kind": "person", "source": "crm", "stream": "contacts",
			"observed_at": fmt.Sprintf("2026-01-%02d 08:30:00.250000+00:00", n), "given_name": name, "birth_date": birth, "score": score,
			"identifiers": map[string]any{"email": []any{fmt.Sprint(n, "@x.fr"), fmt.Sprint(n, "@y.fr")}}}
	}
	l.replace("1", first.Name, "gone@v1", put(l, first, "gone@v1", []weir.Record{rec(9, nil)}))
	l.replace("2", first.Name, "old@v1", put(l, first, "old@v1", []weir.Record{rec(1, map[string]string{"given_name": "Zoë"}), rec(2, nil)}))
	second := l.ensure(schema.Records(map[string]weir.AttributeType{"given_name": weir.Text, "birth_date": weir.Date, "score": weir.Number}))
	l.replace("3", first.Name, "new@v1", put(l, second, "new@v1", []weir.Record{
		rec(3, map[string]string{"given_name": "Ann", "birth_date": "1980-02-29", "score": "12.5"})}))
	pinned := l.replace("4", first.Name, "gone@v2", nil)
	l.record("r1", 1, "done", map[string]int64{first.Name: pinned})
	l.replace("5", first.Name, "new@v2", put(l, second, "new@v2", []weir.Record{rec(4, nil)})) // not finished: not pinned
	want[first.Name] = rows{row(1, "Zoë", nil, nil), row(2, nil, nil, nil), row(3, "Ann", "1980-02-29", "12.500000000")}

	links := l.ensure(schema.Named("identity.links"))
	var newest int64
	for i := range 6 {
		id := fmt.Sprint("p", i)
		newest = l.replace(fmt.Sprint("l", i), links.Name, id, put(l, links, id, []weir.Link{{RecordID: fmt.Sprint("r", i), ProfileID: id}}))
		want[links.Name] = append(want[links.Name], map[string]any{"record_id": fmt.Sprint("r", i), "profile_id": id})
	}
	l.record("r2", 2, "partial", map[string]int64{links.Name: newest})
	l.record("r3", 3, "failed", map[string]int64{links.Name: 1})
	compacted(l, want)
	if _, err := l.Expire(ctx, links.Name, lakehouse.ExpirePolicy{Now: time.Now().Add(48 * time.Hour), KeepLast: 1, OlderThan: lakehouse.MinAge}); err != nil {
		t.Fatal(err)
	}
	for name := range want {
		if _, err := l.Orphans(ctx, name, time.Now().Add(48*time.Hour), lakehouse.MinGrace, nil, false); err != nil {
			t.Fatal(err)
		}
		sortRows(want[name])
	}
	return want
}

// compacted adds a raw table of small files in two schemas, merged.
func compacted(l lake, want map[string]rows) {
	raw := schema.Table{Name: "raw.shop__orders", Key: []string{"id"}, Columns: []schema.Column{
		{Name: "id", Type: schema.Text, Required: true}, {Name: "quantity", Type: schema.Int}}}
	for i := range 5 {
		if i == 3 {
			raw.Columns = []schema.Column{raw.Columns[0], {Name: "quantity", Type: schema.Long}, {Name: "tags", Type: schema.List(schema.Text)}}
		}
		tab := l.ensure(raw)
		id := fmt.Sprint("o", i)
		fresh := map[string]any{"id": id, "quantity": fmt.Sprint(i), "tags": nil}
		if i >= 3 {
			fresh["tags"] = []any{"a", id}
		}
		files := putArrow(l, tab, id, i, i >= 3)
		if _, err := l.Commit(l.ctx, lakehouse.Commit{ID: id, Table: raw.Name, Scopes: []weir.TableFiles{{Table: raw.Name, Files: files}}}); err != nil {
			l.t.Fatal(err)
		}
		want[raw.Name] = append(want[raw.Name], fresh)
	}
	r, err := l.Compact(l.ctx, raw.Name, false)
	if err != nil || r.Before != 5 || r.After != 1 {
		l.t.Fatalf("%+v, %v", r, err)
	}
	l.record("r4", 4, "done", map[string]int64{raw.Name: r.Snapshot.ID})
}

func sortRows(r rows) {
	slices.SortFunc(r, func(a, b map[string]any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}
