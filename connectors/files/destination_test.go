package files_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/connectortest"
	"github.com/weir-cdp/weir/connectors/files"
	"github.com/weir-cdp/weir/policies/permit"
	"github.com/weir-cdp/weir/policies/permit/permittest"
)

// written reads back, by this package's own source, what a destination has
// published in a project's folder.
func written(t *testing.T, project, format string) []connectortest.Row {
	t.Helper()
	c := files.Connector()
	s, errs := connectors.ParseSettings(c.Config, map[string]any{"path": "out"})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	src, err := c.OpenSource(t.Context(), connectors.Env{Dir: project}, s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	sink := &connectortest.Collector{T: t}
	st := stream(t, setting{"path": "**/*." + format})
	plan, err := src.Plan(t.Context(), st, connectors.Prior{})
	if weir.CodeOf(err) == weir.NotFound {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, split := range plan.Splits {
		if err := src.Read(t.Context(), st, plan, split, sink); err != nil {
			t.Fatal(err)
		}
	}
	if len(sink.Rejected) > 0 {
		t.Errorf("what was written can't be read: %+v", sink.Rejected)
	}
	return sink.Rows
}

func TestDestinationSuite(t *testing.T) {
	for _, format := range []string{"csv", "ndjson", "parquet"} {
		t.Run(format, func(t *testing.T) {
			project := t.TempDir()
			connectortest.Destination(t, connectortest.DestinationHarness{
				Connector: files.Connector(), Env: connectors.Env{Dir: project, Name: "out"},
				Config: map[string]any{"path": "out", "format": format},
				Broken: []map[string]any{{"path": "../out"}, {"path": "/tmp"}, {"path": "s3://"}},
				Received: func(t *testing.T) (out []connectortest.Received) {
					for _, r := range written(t, project, format) {
						x := connectortest.Received{Op: weir.Op(r["_op"]), Key: r["_key"], Fields: map[string]string{}}
						for k, v := range r {
							if !strings.HasPrefix(k, "_") {
								x.Fields[k] = v
							}
						}
						out = append(out, x)
					}
					return out
				},
				Rejects: func(_ *testing.T, r permit.Row) permit.Row {
					r.Fields = append(r.Fields, permit.Field{Name: "bad", Value: struct{}{}})
					return r
				},
			})
			if left := names(t, filepath.Join(project, "out", ".parts"), ".part"); len(left) > 0 {
				t.Errorf("parts are left: %v", left)
			}
		})
	}
}

// names lists files below dir by their ending.
func names(t *testing.T, dir, ending string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		if d != nil && !d.IsDir() && strings.HasSuffix(p, ending) {
			rel, err := filepath.Rel(dir, p)
			if err != nil {
				return err
			}
			out = append(out, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func openDestination(t *testing.T, project string, raw map[string]any) connectors.Destination {
	t.Helper()
	c := files.Connector()
	s, errs := connectors.ParseSettings(c.Config, raw)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	d, err := c.OpenDestination(t.Context(), connectors.Env{Dir: project}, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func deliver(t *testing.T, d connectors.Destination, run weir.Run, rows ...permit.Row) {
	t.Helper()
	out, err := d.Deliver(t.Context(), permittest.Batch(t, "lapsed vip/x", run, rows...))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out {
		if o.Status != connectors.Delivered {
			t.Errorf("outcome %+v", o)
		}
	}
}

func finish(t *testing.T, d connectors.Destination, run weir.Run) {
	t.Helper()
	if err := d.(connectors.Finisher).Finish(t.Context(), "lapsed vip/x", run); err != nil {
		t.Fatal(err)
	}
}

func add(key string, fields ...permit.Field) permit.Row {
	return permit.Row{Op: weir.Add, Key: key, Fields: fields, Sequence: 1, IdempotencyKey: "id-" + key}
}

func content(t *testing.T, project, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(project, "out", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOutputIsSortedWholeAndRepeatable(t *testing.T) {
	fields := func(s string) []permit.Field {
		return []permit.Field{{Name: "at", Value: time.Date(2024, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))},
			{Name: "name", Value: s}, {Name: "n", Value: int64(7)}, {Name: "ltv", Value: permit.Decimal("12.50")}, {Name: "no", Value: nil}, {Name: "ok", Value: true}}
	}
	rows := []permit.Row{add("b", fields("x,\"y\"")...), add("a", fields("")...), {Op: weir.Remove, Key: "c", Sequence: 2, IdempotencyKey: "id-c"}, add("d", fields("=1+2")...)}
	want := map[string]string{
		"csv": "_op,_key,at,ltv,n,name,no,ok\nadd,a,2024-01-02T02:04:05Z,12.50,7,\"\",,true\nadd,b,2024-01-02T02:04:05Z,12.50,7,\"x,\"\"y\"\"\",,true\n" +
			"remove,c,,,,,,\nadd,d,2024-01-02T02:04:05Z,12.50,7,'=1+2,,true\n",
		"ndjson": `{"_op":"add","_key":"a","at":"2024-01-02T02:04:05Z","ltv":12.50,"n":7,"name":"","no":null,"ok":true}` + "\n" +
			`{"_op":"add","_key":"b","at":"2024-01-02T02:04:05Z","ltv":12.50,"n":7,"name":"x,\"y\"","no":null,"ok":true}` + "\n" +
			`{"_op":"remove","_key":"c"}` + "\n" + `{"_op":"add","_key":"d","at":"2024-01-02T02:04:05Z","ltv":12.50,"n":7,"name":"=1+2","no":null,"ok":true}` + "\n",
	}
	run := permittest.Run(t, "1")
	for _, format := range []string{"csv", "ndjson", "parquet"} {
		var first string
		for i, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}} { // in any order of delivery
			project := t.TempDir()
			d := openDestination(t, project, map[string]any{"path": "out", "format": format})
			for _, j := range order {
				deliver(t, d, run, rows[j])
			}
			deliver(t, d, run, rows[1], rows[3]) // cut into other batches, as after a crash
			if got := names(t, filepath.Join(project, "out"), "."+format); len(got) != 0 {
				t.Errorf("visible before Finish: %v", got)
			}
			finish(t, d, run)
			name := "lapsed%20vip%2Fx/" + string(run.ID) + "." + format
			got := content(t, project, name)
			if w, ok := want[format]; ok && got != w {
				t.Errorf("got\n%s\nwant\n%s", got, w)
			}
			if i == 0 {
				first = got
			} else if got != first {
				t.Errorf("%s: another order of delivery gives other bytes", format)
			}
			// all of it again, after the file is there
			deliver(t, d, run, rows[order[0]])
			finish(t, d, run)
			if all := names(t, filepath.Join(project, "out"), "."+format); !slices.Equal(all, []string{name}) || content(t, project, name) != first {
				t.Errorf("a repeat changed the output: %v", all)
			}
			// something new for a run that was published
			deliver(t, d, run, add("late"))
			finish(t, d, run)
			if all := names(t, filepath.Join(project, "out"), "."+format); len(all) != 2 || content(t, project, name) != first {
				t.Errorf("a late row: %v", all)
			}
			if parts := names(t, filepath.Join(project, "out"), ".part"); len(parts) > 0 {
				t.Errorf("parts are left: %v", parts)
			}
		}
	}
}

func TestParquetKeepsTypes(t *testing.T) {
	project := t.TempDir()
	d := openDestination(t, project, map[string]any{"path": "out", "format": "parquet"})
	run := permittest.Run(t, "1")
	deliver(t, d, run,
		add("a", permit.Field{Name: "d", Value: permit.Decimal("-0.5")}, permit.Field{Name: "i", Value: int64(1)}, permit.Field{Name: "m", Value: int64(1)}, permit.Field{Name: "z", Value: nil}),
		add("b", permit.Field{Name: "d", Value: permit.Decimal("1234.25")}, permit.Field{Name: "i", Value: int64(2)}, permit.Field{Name: "m", Value: "x"}))
	finish(t, d, run)
	rows := written(t, project, "parquet")
	if len(rows) != 2 || rows[0]["d"] != "-0.5" || rows[1]["d"] != "1234.25" || rows[0]["m"] != "1" || rows[1]["m"] != "x" {
		t.Errorf("rows %v", rows)
	}
	src := openOut(t, project)
	found, err := src.Discover(t.Context())
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	var got []string
	for _, f := range found[0].Schema.Fields() {
		got = append(got, f.Name+" "+f.Type.String())
	}
	if s := strings.Join(got, ", "); s != "_op utf8, _key utf8, d decimal(6, 2), i int64, m utf8, z utf8" {
		t.Error(s)
	}
}

func openOut(t *testing.T, project string) connectors.Source {
	t.Helper()
	src, err := files.Connector().OpenSource(t.Context(), connectors.Env{Dir: project}, connectors.Settings{"path": "out"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	return src
}

func TestManyPartsAreMergedInRounds(t *testing.T) {
	project := t.TempDir()
	d := openDestination(t, project, map[string]any{"path": "out", "format": "csv"})
	run := permittest.Run(t, "1")
	const n = 300 // more than are read at once
	for i := range n {
		deliver(t, d, run, add(fmt.Sprintf("k%03d", (i*7)%n), permit.Field{Name: fmt.Sprintf("f%d", i%3), Value: "v"}))
	}
	finish(t, d, run)
	rows := written(t, project, "csv")
	if len(rows) != n {
		t.Fatalf("%d rows", len(rows))
	}
	for i, r := range rows {
		if r["_key"] != fmt.Sprintf("k%03d", i) {
			t.Fatalf("row %d has key %s", i, r["_key"])
		}
	}
	if left := names(t, filepath.Join(project, "out", ".parts"), ""); !slices.Equal(left, []string{"lapsed%20vip%2Fx/" + string(run.ID) + "/published.json"}) {
		t.Errorf("left: %v", left)
	}
}

func TestFormulasAreEscaped(t *testing.T) {
	cases := map[string]string{"=1": "'=1", "@SUM(A1)": "'@SUM(A1)", "-2+3+cmd|' /C calc'!A0": "'-2+3+cmd|' /C calc'!A0", "+x": "'+x", "-": "'-",
		"+33 6 12 34 56 78": "+33 6 12 34 56 78", "+33612345678": "+33612345678", "-5": "-5", "a=b": "a=b", "\tx": "'\tx"}
	for _, escape := range []bool{true, false} {
		project := t.TempDir()
		d := openDestination(t, project, map[string]any{"path": "out", "escape_formulas": escape})
		run := permittest.Run(t, "1")
		for in := range cases {
			deliver(t, d, run, add(in, permit.Field{Name: "v", Value: in}))
		}
		finish(t, d, run)
		rows := written(t, project, "csv")
		if len(rows) != len(cases) {
			t.Fatal(rows)
		}
		for _, r := range rows {
			in := r["v"]
			if escape {
				in = strings.TrimPrefix(in, "'")
			}
			want := in
			if escape {
				want = cases[in]
			}
			if r["v"] != want || r["_key"] != want {
				t.Errorf("%q is written as %q, key %q", in, r["v"], r["_key"])
			}
		}
	}
}

func TestDestinationStaysInTheProject(t *testing.T) {
	project, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(project, "out")); err != nil {
		t.Fatal(err)
	}
	d := openDestination(t, project, map[string]any{"path": "out"})
	if err := d.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "leads out of its folder") {
		t.Errorf("Check: %v", err)
	}
	_, err := d.Deliver(t.Context(), permittest.Batch(t, "a", permittest.Run(t, "1"), add("x")))
	if err == nil {
		t.Error("delivered through a link out of the project")
	}
	if left := names(t, outside, ""); len(left) > 0 {
		t.Errorf("written outside: %v", left)
	}
}

// TestTimeOutsideOfRFC3339 refuses one row, not the file, and without its value.
func TestTimeOutsideOfRFC3339(t *testing.T) {
	project := t.TempDir()
	d := openDestination(t, project, map[string]any{"path": "out", "format": "parquet"})
	run := permittest.Run(t, "1")
	row := func(key string, year int) permit.Row {
		return permit.Row{Op: weir.Add, Key: key, IdempotencyKey: key, Fields: []permit.Field{{Name: "due", Value: time.Date(year, 2, 3, 4, 5, 6, 0, time.UTC)}}}
	}
	out, err := d.Deliver(t.Context(), permittest.Batch(t, "vip", run, row("a", 2020), row("b", 12020), row("c", -44)))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []connectors.OutcomeStatus{connectors.Delivered, connectors.Rejected, connectors.Rejected} {
		if out[i].Status != want || strings.Contains(out[i].Reply, "02-03") {
			t.Errorf("row %d is %s: %s", i, out[i].Status, out[i].Reply)
		}
	}
	if err := d.(connectors.Finisher).Finish(t.Context(), "vip", run); err != nil {
		t.Fatal(err)
	}
	if got := written(t, project, "parquet"); len(got) != 1 {
		t.Errorf("%d rows are written", len(got))
	}
}

// What the policy wants apart lies in a folder of its class, each with its own repeats;
// what is to be removed lies where it always does.
func TestRowsApartByClass(t *testing.T) {
	project := t.TempDir()
	d := openDestination(t, project, map[string]any{"path": "out", "format": "csv"})
	run := permittest.Run(t, "1")
	give := func(class string, apart bool, rows ...permit.Row) {
		t.Helper()
		p := permittest.Permit{Activation: "lapsed vip/x", Run: run, ClassID: class}
		if apart {
			p.Obligations = map[string]string{permit.PartitionByClass: "yes"}
		}
		if _, err := d.Deliver(t.Context(), permittest.BatchOf(t, p, rows...)); err != nil {
			t.Fatal(err)
		}
	}
	all := func() {
		give("c1", true, add("a"), add("b"))
		give("c2", true, add("c"))
		give("c1", true, add("d"))
		give("c3", false, add("e"))
		give("", false, permit.Row{Op: weir.Remove, Key: "f", Sequence: 2, IdempotencyKey: "id-f"})
	}
	all()
	finish(t, d, run)
	all() // and again, as after a crash
	finish(t, d, run)
	base, file := "lapsed%20vip%2Fx/", string(run.ID)+".csv"
	want := map[string]string{base + "class=c1/" + file: "_op,_key\nadd,a\nadd,b\nadd,d\n", base + "class=c2/" + file: "_op,_key\nadd,c\n", base + file: "_op,_key\nadd,e\nremove,f\n"}
	got := map[string]string{}
	for _, name := range names(t, filepath.Join(project, "out"), ".csv") {
		got[name] = content(t, project, name)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	// What comes after the first Finish makes a further file of its class alone.
	give("c2", true, add("g"))
	finish(t, d, run)
	if got := content(t, project, base+"class=c2/"+string(run.ID)+"-2.csv"); got != "_op,_key\nadd,g\n" {
		t.Errorf("%q", got)
	}
	if left := names(t, filepath.Join(project, "out", ".parts"), ".part"); len(left) > 0 {
		t.Errorf("parts are left: %v", left)
	}
}
