package files_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/connectortest"
	"github.com/weir-cdp/weir/connectors/files"
)

// write puts a file into a project's data folder.
func write(t testing.TB, project, name, content string) {
	t.Helper()
	p := filepath.Join(project, "data", filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func gzipped(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstded(t testing.TB, s string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(s), nil))
}

type setting map[string]any

// stream makes a stream of checked settings.
func stream(t testing.TB, raw setting) connectors.Stream {
	t.Helper()
	s, errs := connectors.ParseSettings(files.Connector().Stream, raw)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return connectors.Stream{Name: "s", Settings: s}
}

func openSource(t testing.TB, project string) connectors.Source {
	t.Helper()
	c := files.Connector()
	s, errs := connectors.ParseSettings(c.Config, map[string]any{"path": "data"})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	src, err := c.OpenSource(t.Context(), connectors.Env{Dir: project, Name: "x", Timezone: "Europe/Paris"}, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	return src
}

// readAll syncs a stream; the error is the first of any split, and the other
// splits are read all the same.
func readAll(t testing.TB, project string, st connectors.Stream) (*connectortest.Collector, error) {
	t.Helper()
	src := openSource(t, project)
	c := &connectortest.Collector{T: t}
	plan, err := src.Plan(t.Context(), st, connectors.Prior{})
	if err != nil {
		return c, err
	}
	for _, s := range plan.Splits {
		if e := src.Read(t.Context(), st, plan, s, c); e != nil && err == nil {
			err = e
		}
	}
	return c, err
}

func TestSourceSuite(t *testing.T) {
	rows := func(format string, from, to int) string {
		var b strings.Builder
		for i := from; i < to; i++ {
			switch format {
			case "csv":
				fmt.Fprintf(&b, "%d,user%d@x.org,\"Name, %d\"\n", i, i, i)
			case "ndjson":
				fmt.Fprintf(&b, `{"id":%d,"email":"user%d@x.org","name":"N"}`+"\n", i, i)
			case "xml":
				fmt.Fprintf(&b, `<row id="%d"><email>user%d@x.org</email><name>N</name></row>`+"\n", i, i)
			}
		}
		return b.String()
	}
	header := "id,email,name\n"
	cases := map[string]struct {
		settings   map[string]any
		files      map[string]string
		rejections int
		more       string // in a new file
		gone       string // a file that vanishes
	}{
		"csv": {
			map[string]any{"path": "in-*.csv*"},
			map[string]string{"in-1.csv": header + rows("csv", 0, 100), "in-2.csv.gz": gzipped(t, header+rows("csv", 100, 199)),
				"in-3.csv.zst": zstded(t, header+"199,a@x.org,N\n1,2\n")}, 1, header + rows("csv", 500, 507), "in-2.csv.gz"},
		"ndjson": {
			map[string]any{"path": "**/*.ndjson"},
			map[string]string{"a/in-1.ndjson": rows("ndjson", 0, 150), "in-2.ndjson": rows("ndjson", 150, 200) + "{\"id\":\n"}, 1,
			rows("ndjson", 500, 507), "in-2.ndjson"},
		"xml": {
			map[string]any{"path": "*.xml", "row": "//row"},
			map[string]string{"in-1.xml": "<rows>" + rows("xml", 0, 150) + "</rows>", "in-2.xml": "<rows>" + rows("xml", 150, 200) + "<row id=\"7\">\xff</row></rows>"}, 1,
			"<rows>" + rows("xml", 500, 507) + "</rows>", "in-2.xml"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			project := t.TempDir()
			for f, content := range c.files {
				write(t, project, f, content)
			}
			connectortest.Source(t, connectortest.SourceHarness{
				Connector: files.Connector(), Env: connectors.Env{Dir: project, Name: "x", Timezone: "UTC"},
				Config: map[string]any{"path": "data"},
				Stream: connectors.Stream{Name: "s", Key: []string{"id"}}, StreamSettings: c.settings,
				Rows: 200, Rejections: c.rejections,
				Broken: []map[string]any{{"path": "nowhere"}, {"path": "../data"}},
				Change: func(t *testing.T) {
					write(t, project, "in-9."+name, c.more)
					if err := os.Remove(filepath.Join(project, "data", c.gone)); err != nil {
						t.Fatal(err)
					}
				},
				ChangedRows: 7,
			})
		})
	}
}

func TestPlan(t *testing.T) {
	project := t.TempDir()
	write(t, project, "a.csv", "id\n1\n")
	write(t, project, "b.csv", "id\n2\n")
	write(t, project, ".hidden.csv", "id\n3\n")
	src, st := openSource(t, project), stream(t, setting{"path": "*.csv"})
	plan := func(st connectors.Stream, prior connectors.Prior) connectors.Plan {
		p, err := src.Plan(t.Context(), st, prior)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	scopes := func(p connectors.Plan) string {
		var s []string
		for _, x := range p.Splits {
			s = append(s, x.Scope)
		}
		return strings.Join(s, " ")
	}
	first := plan(st, connectors.Prior{})
	if got := scopes(first); got != "a.csv b.csv" {
		t.Fatalf("first plan: %s", got)
	}
	prior := connectortest.After(connectors.Prior{}, first)

	write(t, project, "b.csv", "id\n22\n")
	if got := scopes(plan(st, prior)); got != "b.csv" {
		t.Errorf("after a change: %q", got)
	}
	write(t, project, "b.csv", "id\n2\n")
	other := st
	other.Settings = connectors.Settings{}
	for k, v := range st.Settings {
		other.Settings[k] = v
	}
	other.Settings["delimiter"] = ";"
	if got := scopes(plan(other, prior)); got != "a.csv b.csv" {
		t.Errorf("after another delimiter: %q", got)
	}
	if err := os.Remove(filepath.Join(project, "data", "a.csv")); err != nil {
		t.Fatal(err)
	}
	if p := plan(st, prior); len(p.Drop) != 0 || p.Missing != 1 {
		t.Errorf("a vanished file is dropped: %v, or not missed: %d", p.Drop, p.Missing)
	}
	full := st
	full.Mode = "full"
	if p := plan(full, prior); len(p.Drop) != 1 || p.Drop[0] != "a.csv" || p.Missing != 0 {
		t.Errorf("in full mode a vanished file is kept: %v, or missed: %d", p.Drop, p.Missing)
	}
	// what was planned is gone or another: the read says so
	err := src.Read(t.Context(), st, first, first.Splits[0], &connectortest.Collector{T: t})
	if err == nil || !strings.Contains(err.Error(), "data/a.csv: does not exist") {
		t.Errorf("reading a vanished file: %v", err)
	}
	write(t, project, "b.csv", "id\n222\n")
	err = src.Read(t.Context(), st, first, first.Splits[1], &connectortest.Collector{T: t})
	if err == nil || !strings.Contains(err.Error(), "data/b.csv: changed after the sync was planned") {
		t.Errorf("reading a changed file: %v", err)
	}
}

// That no file is left is an error whatever was read before, unless it may be.
func TestAllFilesVanish(t *testing.T) {
	project := t.TempDir()
	write(t, project, "notes.txt", "x")
	src, st := openSource(t, project), stream(t, setting{"path": "*.csv"})
	held := connectors.Prior{Scopes: map[string]string{"a.csv": "1", "b.csv": "1"}}
	for _, prior := range []connectors.Prior{{}, held} {
		for _, mode := range []string{"", "full"} {
			st.Mode, st.MayBeEmpty = mode, false
			_, err := src.Plan(t.Context(), st, prior)
			if weir.CodeOf(err) != weir.NotFound || !strings.Contains(err.Error(), `no file matches "*.csv"`) || !strings.Contains(err.Error(), "there is one file, notes.txt") {
				t.Errorf("mode %q, held %v: %v", mode, prior.Scopes, err)
			}
			st.MayBeEmpty = true
			if p, err := src.Plan(t.Context(), st, prior); err != nil || len(p.Splits) != 0 || int(p.Missing)+len(p.Drop) != len(prior.Scopes) {
				t.Errorf("mode %q, held %v, may be empty: %+v %v", mode, prior.Scopes, p, err)
			}
		}
	}
}

func TestDiscover(t *testing.T) {
	project := t.TempDir()
	write(t, project, "orders-2024-01-01.csv", "id;total\n1;2\n")
	write(t, project, "orders-2024-01-02.csv", "id;total;tax\n1;2;3\n")
	write(t, project, "web.ndjson.gz", gzipped(t, `{"a":{"b":1}}`))
	write(t, project, "README", "no data")
	found, err := openSource(t, project).Discover(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range found {
		names := []string{}
		for _, f := range d.Schema.Fields() {
			names = append(names, f.Name)
		}
		got = append(got, d.Name+": "+strings.Join(names, ","))
	}
	want := "orders-*.csv: id,total,tax\nweb.ndjson.gz: a.b"
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
}

func TestEscapesAreRefused(t *testing.T) {
	project := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(outside, []byte("id\nsecret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, project, "good.csv", "id\n1\n")
	if err := os.Symlink(outside, filepath.Join(project, "data", "evil.csv")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("good.csv", filepath.Join(project, "data", "inside.csv")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(project, "data", "dir")); err != nil {
		t.Fatal(err)
	}
	c, err := readAll(t, project, stream(t, setting{"path": "**/*.csv"}))
	if err == nil || !strings.Contains(err.Error(), "data/evil.csv: leads out of its folder") {
		t.Errorf("a link out of the folder: %v", err)
	}
	if len(c.Rows) != 2 || strings.Contains(fmt.Sprint(c.Rows), "secret") { // good.csv, and the link to it
		t.Errorf("rows: %v", c.Rows)
	}
	for _, p := range []string{"../*.csv", "/etc/*", "a/../../x.csv"} {
		if _, err := readAll(t, project, stream(t, setting{"path": p})); err == nil || !strings.Contains(err.Error(), "leads out of the folder") {
			t.Errorf("pattern %s: %v", p, err)
		}
	}
	conf := connectors.Settings{"path": "link"}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(project, "link")); err != nil {
		t.Fatal(err)
	}
	src, err := files.Connector().OpenSource(t.Context(), connectors.Env{Dir: project}, conf)
	if err == nil {
		err = src.Check(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "leads out of its folder") {
		t.Errorf("a folder that is a link out of the project: %v", err)
	}
}
