package lakehouse

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// testConfig is a lake over a real S3 endpoint on loopback and a catalog file.
func testConfig(t *testing.T) Config {
	t.Helper()
	c, _ := testConfigAt(t, time.Time{})
	return c
}

// testConfigAt is one whose objects' ages follow a clock that tests move; the
// zero time leaves the real one.
func testConfigAt(t *testing.T, now time.Time) (Config, gofakes3.TimeSourceAdvancer) {
	t.Helper()
	var kept []s3mem.Option
	var served []gofakes3.Option
	clock := gofakes3.FixedTimeSource(now)
	if !now.IsZero() {
		kept = append(kept, s3mem.WithTimeSource(clock))
		served = append(served, gofakes3.WithTimeSource(clock), gofakes3.WithTimeSkewLimit(0))
	}
	backend := s3mem.New(kept...)
	server := httptest.NewServer(gofakes3.New(backend, served...).Server())
	t.Cleanup(server.Close)
	if err := backend.CreateBucket("lake"); err != nil {
		t.Fatal(err)
	}
	return Config{
		Object: object.Config{Endpoint: server.URL, Bucket: "lake", Prefix: "shop", Region: "us-east-1",
			AccessKey: "key", SecretKey: "secret", PathStyle: true, Retries: 2},
		Catalog: CatalogConfig{Type: "sqlite", Path: filepath.Join(t.TempDir(), "a b#catalog.db")},
	}, clock
}

func openLake(t *testing.T, c Config) *Lake {
	t.Helper()
	l, err := Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

var links = schema.Table{
	Name: "identity.links", Key: []string{"record_id"}, PersonBy: []string{schema.ByRecord}, Doc: "Links.",
	Columns: []schema.Column{
		{Name: "record_id", Type: schema.Text, Required: true},
		{Name: "profile_id", Type: schema.Text},
		{Name: "n", Type: schema.Int},
	},
}

func ensure(t *testing.T, l *Lake, want schema.Table) schema.Table {
	t.Helper()
	got, err := l.Ensure(context.Background(), want)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// put writes a data file of rows "<prefix>0"… into a scope, named by its content.
func put(t *testing.T, l *Lake, tab schema.Table, scope, prefix string, rows int) weir.DataFile {
	t.Helper()
	fields, err := tab.Arrow()
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, fields)
	defer b.Release()
	for i, c := range tab.Columns {
		for r := range rows {
			text := fmt.Sprintf("%s%d", prefix, r)
			switch fb := b.Field(i).(type) {
			case *array.StringBuilder:
				fb.Append(text)
			case *array.Int32Builder:
				fb.Append(int32(r))
			case *array.Int64Builder:
				fb.Append(int64(r))
			default:
				t.Fatalf("column %s: no test values", c.Name)
			}
		}
	}
	rec := b.NewRecordBatch()
	defer rec.Release()
	var buf bytes.Buffer
	w, err := pqarrow.NewFileWriter(fields, &buf, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err == nil {
		err = w.Write(rec)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	f := weir.DataFile{Path: scopeFolder(tab.Name, scope) + "/" + contentName(buf.Bytes()), Rows: int64(rows), Bytes: int64(buf.Len())}
	if err := l.Store().Put(context.Background(), f.Path, &buf, f.Bytes); err != nil {
		t.Fatal(err)
	}
	return f
}

func commit(t *testing.T, l *Lake, c Commit) Snapshot {
	t.Helper()
	s, err := l.Commit(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func appendTo(table, id string, files ...weir.DataFile) Commit {
	scope := ""
	if len(files) > 0 {
		scope, _ = scopeOf(table, files[0].Path)
	}
	return Commit{ID: id, Table: table, Scopes: []weir.TableFiles{{Table: table, Scope: scope, Files: files}}}
}

func replaceIn(table, id, scope string, files ...weir.DataFile) Commit {
	return Commit{ID: id, Table: table, Scopes: []weir.TableFiles{{Table: table, Scope: scope, Replace: true, Files: files}}}
}

// rows counts a snapshot's rows by its manifests.
func rows(t *testing.T, l *Lake, table string, snapshot int64) (n int64) {
	t.Helper()
	files, err := l.Files(context.Background(), table, snapshot)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		n += f.Rows
	}
	return n
}

func wantCode(t *testing.T, err error, code weir.Code) {
	t.Helper()
	if weir.CodeOf(err) != code {
		t.Errorf("error is %q (%v), want code %s", weir.CodeOf(err), err, code)
	}
}

func schemaNamed(t schema.Table, name string) schema.Table { t.Name = name; return t }
