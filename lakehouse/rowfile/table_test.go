package rowfile_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/parquet/file"
	pqschema "github.com/apache/arrow-go/v18/parquet/schema"
	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// Iceberg finds columns by these ids alone, so each must be in the file, those of
// keys, values and elements too.
func TestFilesCarryTheFieldIDs(t *testing.T) {
	s := objecttest.Open(t)
	for _, name := range []string{"core.events", "consent.classes", "ops.runs"} {
		table := schema.Named(name)
		var files []weir.DataFile
		switch name {
		case "core.events":
			files = write(t, s, table, events(10))
		case "consent.classes":
			files = write(t, s, table, []weir.DecisionClass{{ID: "c"}})
		case "ops.runs":
			files = write(t, s, table, []weir.StageRun{{RunID: "r"}})
		}
		data, err := s.ReadFile(t.Context(), files[0].Path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := file.NewParquetReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		var got, want []int
		var walk func(n pqschema.Node)
		walk = func(n pqschema.Node) {
			if n.FieldID() >= 0 {
				got = append(got, int(n.FieldID()))
			}
			if g, ok := n.(*pqschema.GroupNode); ok {
				for i := range g.NumFields() {
					walk(g.Field(i))
				}
			}
		}
		root := r.MetaData().Schema.Root()
		for i := range root.NumFields() {
			walk(root.Field(i))
		}
		for _, c := range table.Columns {
			want = append(append(want, c.ID), c.Sub...)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		// Another library reads the same file.
		other, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
		if err != nil || other.NumRows() != files[0].Rows {
			t.Errorf("%s: parquet-go: %v", name, err)
		}
	}
}

func TestColumnsThatAFileLacksAreZero(t *testing.T) {
	s := objecttest.Open(t)
	type before struct {
		ID string `parquet:"event_id"`
		N  string `parquet:"name"`
	}
	full := schema.Named("core.events")
	old := schema.Table{Name: full.Name, Columns: full.Columns[:2], Key: full.Key}
	files := write(t, s, old, []before{{"e1", "Seen"}})
	files = append(files, write(t, s, full, events(1))...)
	got := collect(t, rowfile.Scan[weir.Event](t.Context(), s, full, files))
	if d := cmp.Diff([]weir.Event{{ID: "e1", Name: "Seen"}, events(1)[0]}, got, equal); d != "" {
		t.Fatal(d)
	}
	// And columns that the reader does not know are passed over.
	if got := collect(t, rowfile.Scan[before](t.Context(), s, old, files)); len(got) != 2 || got[1].ID != events(1)[0].ID {
		t.Fatal(got)
	}
}

func TestWidenedTypesRead(t *testing.T) {
	s := objecttest.Open(t)
	type narrow struct {
		N int32  `parquet:"n"`
		D string `parquet:"d"`
	}
	type wide struct {
		N int64  `parquet:"n"`
		D string `parquet:"d"`
	}
	table := func(n, d schema.Type) schema.Table {
		return schema.Table{Name: "raw.x", Columns: []schema.Column{{ID: 1, Name: "n", Type: n}, {ID: 2, Name: "d", Type: d}}}
	}
	files := write(t, s, table(schema.Int, schema.Decimal(5, 2)), []narrow{{-7, "123.40"}})
	got := collect(t, rowfile.Scan[wide](t.Context(), s, table(schema.Long, schema.Decimal(20, 2)), files))
	if d := cmp.Diff([]wide{{-7, "123.4"}}, got); d != "" {
		t.Fatal(d)
	}
}

func TestBadValuesNameRowAndColumn(t *testing.T) {
	s := objecttest.Open(t)
	table := schema.Records(attributes).WithIDs()
	for attribute, value := range map[string]string{"age": "1e5", "birth_date": "2026-02-30", "seen": "yesterday", "vip": "yes",
		"given_name": "\xff", "height": "180"} {
		w, err := rowfile.NewTableWriter[weir.Record](t.Context(), s, table, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(weir.Record{ID: "ok", Attributes: map[string]string{"age": "1"}}); err != nil {
			t.Fatal(err)
		}
		err = w.Write(weir.Record{ID: "bad", Attributes: map[string]string{attribute: value}})
		if weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "row 2") {
			t.Errorf("%s: %v", attribute, err)
		}
		if attribute != "height" && !strings.Contains(err.Error(), attribute) {
			t.Errorf("%s: %v", attribute, err)
		}
		if strings.Contains(fmt.Sprint(err), value) {
			t.Errorf("%s: the error tells the value: %v", attribute, err)
		}
		if _, err := w.Close(); err == nil {
			t.Errorf("%s: the writer closed as if nothing was wrong", attribute)
		}
	}
	for info := range s.List(t.Context(), "core/") {
		t.Error("a file was published: ", info)
	}
}

func TestNumbersRoundToTheColumnsScale(t *testing.T) {
	s := objecttest.Open(t)
	table := schema.Records(attributes).WithIDs()
	for in, want := range map[string]string{"1.0000000005": "1", "1.0000000015": "1.000000002", "1.00000000050001": "1.000000001", "-0.0000000015": "-0.000000002",
		"+5": "5", "007.50": "7.5", ".5": "0.5", "5.": "5", "-0": "0", "": ""} {
		files := write(t, s, table, []weir.Record{{ID: "x", Attributes: map[string]string{"age": in}}})
		got := collect(t, rowfile.Scan[weir.Record](t.Context(), s, table, files))[0].Attributes["age"]
		if got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	w, err := rowfile.NewTableWriter[weir.Record](t.Context(), s, table, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(weir.Record{ID: "x", Attributes: map[string]string{"age": "1" + strings.Repeat("0", 29)}}); weir.CodeOf(err) != weir.Invalid {
		t.Fatal(err)
	}
}

func TestFilesRollSpillAndKeepTheirNames(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	s := objecttest.Open(t)
	table := schema.Named("core.events")
	rows := events(40000)
	opts := []rowfile.Option{rowfile.GroupRows(5000), rowfile.FileBytes(100 << 10)}
	files := write(t, s, table, rows, opts...)
	if len(files) < 2 {
		t.Fatalf("one file of %d bytes", files[0].Bytes)
	}
	spilled := write(t, s, table, rows, append(opts, rowfile.SpillBytes(1000))...)
	if d := cmp.Diff(files, spilled); d != "" {
		t.Fatal(d)
	}
	if left, _ := os.ReadDir(tmp); len(left) != 0 {
		t.Fatal("temporary files are left: ", left)
	}
	got := collect(t, rowfile.Scan[weir.Event](t.Context(), s, table, files))
	if d := cmp.Diff(rows, got, equal); d != "" {
		t.Fatal(d)
	}
	for _, f := range files {
		if !strings.HasPrefix(f.Path, "core/events/data/a~2Fb/") {
			t.Error(f.Path)
		}
		d, err := rowfile.Describe(t.Context(), s, f.Path)
		if err != nil || d != f {
			t.Errorf("%+v is described as %+v, %v", f, d, err)
		}
	}
	if none := write(t, s, table, []weir.Event{}); len(none) != 0 {
		t.Fatal("no rows gave ", none)
	}
}

func TestWritersStopWithTheirContext(t *testing.T) {
	s := objecttest.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	w, err := rowfile.NewTableWriter[weir.Event](ctx, s, schema.Named("core.events"), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(events(1)[0]); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := w.Close(); err == nil {
		t.Fatal("published after the end")
	}
}

func TestScopesHaveFoldersOfTheirOwn(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b := rapid.String().Draw(r, "a"), rapid.String().Draw(r, "b")
		da := rowfile.ScopeDir(a)
		if (a == b) != (da == rowfile.ScopeDir(b)) {
			r.Fatalf("%q and %q share %q", a, b, da)
		}
		if back, ok := rowfile.ScopeOf("core/x/data/" + da + "/0.parquet"); !ok || back != a {
			r.Fatalf("%q came back as %q", a, back)
		}
		if strings.ContainsAny(da, "/%=\\ ") || da == "." || da == ".." || da == "" {
			r.Fatalf("folder %q", da)
		}
	})
}

func TestDamagedFilesAreErrors(t *testing.T) {
	s := objecttest.Open(t)
	table := schema.Named("core.events")
	f := write(t, s, table, events(1000))[0]
	data, err := s.ReadFile(t.Context(), f.Path)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"short": data[:len(data)/2], "empty": nil, "noise": bytes.Repeat([]byte("x"), len(data))} {
		if err := s.Put(t.Context(), "bad/"+name, bytes.NewReader(bad), int64(len(bad))); err != nil {
			t.Fatal(err)
		}
		var last error
		for _, err := range rowfile.Scan[weir.Event](t.Context(), s, table, []weir.DataFile{{Path: "bad/" + name, Bytes: int64(len(bad))}}) {
			last = err
		}
		if last == nil || !strings.Contains(last.Error(), "bad/"+name) {
			t.Errorf("%s: %v", name, last)
		}
	}
}
