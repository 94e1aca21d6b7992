package sql_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
)

var attributes = map[string]weir.AttributeType{"given_name": weir.Text, "ltv": weir.Number, "born": weir.Date,
	"seen": weir.Instant, "vip": weir.Boolean}

func write[T any](t *testing.T, s *object.Store, table schema.Table, rows ...T) []weir.DataFile {
	t.Helper()
	w, err := rowfile.NewTableWriter[T](t.Context(), s, table, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	files, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func open(t *testing.T, s *object.Store) *sql.Session {
	t.Helper()
	dir := t.TempDir()
	session, err := sql.Open(t.Context(), sql.Options{Store: s, CacheDir: filepath.Join(dir, "cache"), TempDir: filepath.Join(dir, "tmp"), Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

func all(t *testing.T, session *sql.Session, q string) [][]any {
	t.Helper()
	rows, err := session.Query(t.Context(), q)
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	defer rows.Close()
	var out [][]any
	for rows.Next() {
		out = append(out, append([]any(nil), rows.Values()...))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

var records = []weir.Record{
	{ID: "crm/contacts/1", Kind: weir.Person, Source: "crm", Stream: "contacts", ObservedAt: time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC),
		Attributes:  map[string]string{"given_name": "Zoë", "ltv": "1234.5", "born": "1980-02-29", "seen": "2026-01-01T00:00:00Z", "vip": "true"},
		Identifiers: weir.Identifiers{"email": {"a@x.org", "b@x.org"}, "phone": {"+331"}}},
	{ID: "crm/contacts/2", Kind: weir.Person, Source: "crm", Stream: "contacts", Attributes: map[string]string{"ltv": "-0.000000001"}},
}

func TestTypesAndColumnsOfAView(t *testing.T) {
	s := objecttest.Open(t)
	table := schema.Records(attributes).WithIDs()
	files := write(t, s, table, records...)
	wider := table // a column that came after the files were written
	wider.Columns = append(wider.Columns[:len(wider.Columns):len(wider.Columns)], schema.Column{ID: 99, Name: "score", Type: schema.Amount})
	session := open(t, s)
	if err := session.Attach(t.Context(), wider, files); err != nil {
		t.Fatal(err)
	}
	if err := session.Attach(t.Context(), schema.Table{Name: "raw.crm__contacts", Columns: []schema.Column{{ID: 1, Name: `odd "name"`, Type: schema.List(schema.Text)}}}, nil); err != nil {
		t.Fatal(err)
	}
	got := all(t, session, `SELECT record_id, observed_at, identifiers, given_name, ltv, born, seen, vip, score FROM core.records ORDER BY 1`)
	want := [][]any{
		{"crm/contacts/1", time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC),
			map[string]any{"email": []any{"a@x.org", "b@x.org"}, "phone": []any{"+331"}}, "Zoë", json.Number("1234.5"), "1980-02-29",
			time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), true, nil},
		{"crm/contacts/2", nil, map[string]any{}, nil, json.Number("-0.000000001"), nil, nil, nil, nil},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
	if got := all(t, session, `SELECT count(*), count("odd ""name""") FROM "raw"."crm__contacts"`); !cmp.Equal(got, [][]any{{int64(0), int64(0)}}) {
		t.Fatal(got)
	}
	got = all(t, session, "DESCRIBE core.records")
	types := map[string]any{}
	for _, r := range got {
		types[r[0].(string)] = r[1]
	}
	for name, want := range map[string]string{"record_id": "VARCHAR", "observed_at": "TIMESTAMP WITH TIME ZONE", "score": "DECIMAL(38,9)",
		"born": "DATE", "vip": "BOOLEAN", "identifiers": "MAP(VARCHAR, VARCHAR[])"} {
		if types[name] != want {
			t.Errorf("%s is %v, want %s", name, types[name], want)
		}
	}
}

func TestWidenedColumnAcrossFiles(t *testing.T) {
	s := objecttest.Open(t)
	type old struct {
		ID string `parquet:"id"`
		N  int32  `parquet:"n"`
	}
	type now struct {
		ID string `parquet:"id"`
		N  int64  `parquet:"n"`
	}
	columns := func(n schema.Type) []schema.Column {
		return []schema.Column{{ID: 1, Name: "id", Type: schema.Text}, {ID: 2, Name: "n", Type: n}}
	}
	first := write(t, s, schema.Table{Name: "raw.a", Columns: columns(schema.Int)}, old{"a", 1})
	table := schema.Table{Name: "raw.a", Columns: columns(schema.Long)}
	files := append(first, write(t, s, table, now{"b", 1 << 40})...)
	session := open(t, s)
	if err := session.Attach(t.Context(), table, files); err != nil {
		t.Fatal(err)
	}
	if got := all(t, session, "FROM raw.a ORDER BY id"); !cmp.Equal(got, [][]any{{"a", int64(1)}, {"b", int64(1 << 40)}}) {
		t.Fatal(got)
	}
}

func TestReadingStatementsPass(t *testing.T) {
	session := sessionWithRecords(t)
	for _, q := range []string{
		"SELECT 1", "WITH a AS (SELECT 1 AS x) SELECT * FROM a", "FROM core.records", "VALUES (1)", "TABLE core.records",
		"DESCRIBE core.records", "SUMMARIZE core.records", "SHOW TABLES", "SHOW ALL TABLES", "PRAGMA table_info('core.records')",
		"EXPLAIN SELECT * FROM core.records", "EXPLAIN ANALYZE SELECT count(*) FROM core.records",
		"SELECT * FROM range(3)", "SELECT unnest(identifiers['email']) FROM core.records", "SELECT 1;", "SELECT 1 -- the end",
		"SELECT 'drop table x; copy' AS text", "SELECT a.kind, b.kind FROM core.records a, core.records b",
	} {
		all(t, session, q)
	}
}

func TestColumnsOfOneNameKeepIt(t *testing.T) {
	rows, err := sessionWithRecords(t).Query(t.Context(), "SELECT 1 AS id, 2.50 AS id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if want := []sql.Column{{Name: "id", Type: "INTEGER"}, {Name: "id", Type: "DECIMAL(3,2)"}}; !cmp.Equal(rows.Columns(), want) {
		t.Fatal(rows.Columns())
	}
}

// invariant: an analyst can't change, write or reach anything but the tables.
func TestNothingElseIsPossible(t *testing.T) {
	local := localStore(t)
	table := schema.Records(attributes).WithIDs()
	files := write(t, local.store, table, records...)
	path := filepath.Join(local.dir, "lake", "shop", files[0].Path)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	session, err := sql.Open(t.Context(), sql.Options{Store: local.store, TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if err := session.Attach(t.Context(), table, files); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(secret, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "stolen")
	for _, q := range []string{
		"SELECT * FROM read_csv('" + secret + "')", "SELECT * FROM '" + secret + "'", "SELECT * FROM read_text('" + secret + "')",
		"SELECT * FROM read_blob('/etc/passwd')", "SELECT * FROM glob('/*')", "SELECT * FROM sniff_csv('" + secret + "')",
		"SELECT (SELECT count(*) FROM read_text('" + secret + "'))", "SELECT * FROM read_parquet('" + path + "')",
		"COPY core.records TO '" + target + "'", "COPY (SELECT 1) TO '" + path + "'", "EXPLAIN ANALYZE COPY (SELECT 1) TO '" + path + "'",
		"EXPLAIN COPY (SELECT 1) TO '" + path + "'", "/* x */ EXPLAIN ANALYZE COPY (SELECT 1) TO '" + path + "'",
		"SELECT 1; COPY (SELECT 1) TO '" + path + "'", "COPY (SELECT 1) TO '" + path + "'; SELECT 1", "SELECT 1; SELECT 2",
		"SELECT * FROM enable_profiling(save_location='" + path + "')", "SELECT * FROM enable_logging(storage='file', storage_path='" + target + "')",
		"SELECT * FROM query('SELECT 1')", "SELECT * FROM query_table(['core.records'])", "CALL enable_profiling(save_location='" + path + "')",
		"ATTACH '" + target + "'", "INSTALL httpfs", "LOAD httpfs", "EXPORT DATABASE '" + target + "'", "IMPORT DATABASE '" + dir + "'",
		"SET enable_external_access=true", "SET memory_limit='100GB'", "RESET lock_configuration", "PRAGMA enable_profiling",
		"PRAGMA memory_limit='9GB'", "CREATE TABLE core.x AS SELECT 1", "CREATE TEMP TABLE x AS SELECT 1", "CREATE OR REPLACE VIEW core.records AS SELECT 1",
		"DROP VIEW core.records", "DELETE FROM core.records", "INSERT INTO core.records (record_id) VALUES ('x')", "UPDATE core.records SET kind = 'x'",
		"BEGIN", "CHECKPOINT", "USE core", "PREPARE p AS SELECT 1", "SELECT ?", "", ";", "not sql",
		"SELECT 1) TO '" + target + "' --", "SELECT 1); DROP VIEW core.records; --",
	} {
		rows, err := session.Query(t.Context(), q)
		if err == nil {
			for rows.Next() {
			}
			err = rows.Err()
			rows.Close()
		}
		if code := weir.CodeOf(err); code != weir.Denied && code != weir.Invalid {
			t.Errorf("%s: %v (%s)", q, err, code)
		}
		if _, err := session.Export(t.Context(), q, filepath.Join(dir, "out.csv")); err == nil {
			t.Errorf("export of %s passed", q)
		}
	}
	if err := session.Attach(t.Context(), table, nil); err == nil {
		t.Error("a table was attached after the lock")
	}
	after, err := os.ReadFile(path)
	if err != nil || string(after) != string(before) {
		t.Fatal("a data file changed", err)
	}
	if _, err := os.Stat(target); !errors.Is(err, os.ErrNotExist) {
		t.Fatal("something was written outside")
	}
	if got := all(t, session, "SELECT count(*) FROM core.records"); !cmp.Equal(got, [][]any{{int64(2)}}) {
		t.Fatal(got)
	}
}

func TestResultsLargerThanMemoryStream(t *testing.T) {
	dir := t.TempDir()
	session, err := sql.Open(t.Context(), sql.Options{Store: objecttest.Open(t), TempDir: dir, MemoryLimit: 64 << 20, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	const n = 1_000_000
	rows, err := session.Query(t.Context(), fmt.Sprintf("SELECT i, md5(i::VARCHAR) || md5((i+1)::VARCHAR) || md5((i+2)::VARCHAR) AS t FROM range(%d) r(i)", n))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := int64(0)
	for rows.Next() {
		if v := rows.Values(); v[0] != seen || len(v[1].(string)) != 96 {
			t.Fatalf("row %d is %v", seen, v)
		}
		seen++
	}
	if err := rows.Err(); err != nil || seen != n {
		t.Fatal(seen, err)
	}
}

func TestExport(t *testing.T) {
	session := sessionWithRecords(t)
	dir := t.TempDir()
	for ext, want := range map[string]string{
		"csv":    "record_id,ltv\ncrm/contacts/1,1234.500000000\ncrm/contacts/2,-0.000000001\n",
		"ndjson": `{"record_id":"crm/contacts/1","ltv":1234.500000000}` + "\n",
	} {
		path := filepath.Join(dir, "out."+ext)
		n, err := session.Export(t.Context(), "SELECT record_id, ltv FROM core.records ORDER BY 1;", path)
		if err != nil || n != 2 {
			t.Fatal(n, err)
		}
		got, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(got), want) {
			t.Errorf("%s: %q %v", ext, got, err)
		}
	}
	if _, err := session.Export(t.Context(), "SUMMARIZE core.records", filepath.Join(dir, "out.parquet")); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "out.parquet")); len(b) < 4 || string(b[:4]) != "PAR1" {
		t.Fatal("no Parquet file")
	}
	if _, err := session.Export(t.Context(), "SELECT 1", filepath.Join(dir, "out.xlsx")); weir.CodeOf(err) != weir.Invalid {
		t.Fatal(err)
	}
	if _, err := session.Export(t.Context(), "SELECT 1", filepath.Join(dir, "absent", "out.csv")); weir.CodeOf(err) != weir.Invalid {
		t.Fatal(err)
	}
}

func TestCacheEvictsAndSessionsKeepTheirFiles(t *testing.T) {
	s := objecttest.Open(t)
	table := schema.Named("identity.links")
	var files []weir.DataFile
	for i := range 4 {
		files = append(files, write(t, s, table, weir.Link{RecordID: fmt.Sprint("r", i), ProfileID: "p"})...)
	}
	dir := t.TempDir()
	o := sql.Options{Store: s, CacheDir: filepath.Join(dir, "cache"), CacheBytes: 2 * files[0].Bytes, TempDir: dir}
	session, err := sql.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Attach(t.Context(), table, files); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(o.CacheDir); err == nil {
		t.Error("files were downloaded before a query asked for them")
	}
	if got := all(t, session, "SELECT 1"); fmt.Sprint(got) != "[[1]]" {
		t.Fatal(got)
	}
	if _, err := os.Stat(o.CacheDir); err == nil {
		t.Error("a query that names no table downloads files")
	}
	if got := all(t, session, `SELECT count(*) FROM "identity"."LINKS"`); !cmp.Equal(got, [][]any{{int64(4)}}) {
		t.Fatal(got)
	}
	kept, err := filepath.Glob(filepath.Join(o.CacheDir, "*"))
	if err != nil || len(kept) != 2 {
		t.Fatalf("the cache holds %d files, want 2", len(kept))
	}
	if got := all(t, session, "SELECT count(*) FROM identity.links"); !cmp.Equal(got, [][]any{{int64(4)}}) {
		t.Fatal(got)
	}
	session.Close()
	left, _ := filepath.Glob(filepath.Join(dir, "weir-sql-*"))
	if len(left) != 0 {
		t.Fatal("the session left ", left)
	}
}

func TestInternalJoinsAndSpills(t *testing.T) {
	s := objecttest.Open(t)
	table := schema.Named("identity.links")
	in, err := sql.OpenInternal(t.Context(), sql.Options{Store: s, TempDir: t.TempDir(), MemoryLimit: 128 << 20, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := in.Attach(t.Context(), table, write(t, s, table, weir.Link{RecordID: "r1", ProfileID: "p1"})); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Exec(t.Context(), "CREATE TEMP TABLE members AS SELECT 'p' || i AS profile_id FROM range(?) r(i)", 10); err != nil {
		t.Fatal(err)
	}
	rows, err := in.Query(t.Context(), "SELECT l.record_id FROM identity.links l JOIN members USING (profile_id) WHERE profile_id = ?", "p1")
	if err != nil {
		t.Fatal(err)
	}
	if !rows.Next() || rows.Values()[0] != "r1" || rows.Next() {
		t.Fatal(rows.Err())
	}
	rows.Close()
	if _, err := in.Exec(t.Context(), "CREATE TEMP TABLE big AS SELECT md5(i::VARCHAR) || md5((i+1)::VARCHAR) || md5((i+2)::VARCHAR) AS t FROM range(2000000) r(i) ORDER BY t"); err != nil {
		t.Fatal(err)
	}
}

func sessionWithRecords(t *testing.T) *sql.Session {
	t.Helper()
	s := objecttest.Open(t)
	table := schema.Records(attributes).WithIDs()
	session := open(t, s)
	if err := session.Attach(t.Context(), table, write(t, s, table, records...)); err != nil {
		t.Fatal(err)
	}
	return session
}

type local struct {
	store *object.Store
	dir   string
}

// localStore is a store whose objects are also plain files, as the embedded
// gateway keeps them.
func localStore(t *testing.T) local {
	t.Helper()
	dir := t.TempDir()
	c := objecttest.Config(t, objecttest.Mirror(t, dir))
	c.LocalDir = dir
	s, err := object.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return local{s, dir}
}
