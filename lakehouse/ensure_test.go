package lakehouse

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

func TestFixedTablesKeepTheirIDs(t *testing.T) {
	l := openLake(t, testConfig(t))
	ctx := context.Background()
	var names []string
	for _, want := range schema.Fixed() {
		got := ensure(t, l, want)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: Ensure changed the declaration (-want +got):\n%s", want.Name, d)
		}
		again := ensure(t, l, want)
		described, err := l.Describe(ctx, want.Name)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, described) + cmp.Diff(want, again); d != "" {
			t.Errorf("%s: described differently:\n%s", want.Name, d)
		}
		names = append(names, want.Name)
	}
	got, err := l.Tables(ctx)
	if err != nil || !slices.Equal(got, names) {
		t.Errorf("tables are %q (%v), want %q", got, err, names)
	}
	_, err = l.Describe(ctx, "core.nothing")
	wantCode(t, err, weir.NotFound)
	_, err = l.Describe(ctx, "core/nothing")
	wantCode(t, err, weir.Invalid)
}

func TestCreateByCommitKeepsIDs(t *testing.T) {
	l := openLake(t, testConfig(t))
	l.keepsIDs = false // as with a REST catalog
	for _, want := range schema.Fixed()[:4] {
		if d := cmp.Diff(want, ensure(t, l, want)); d != "" {
			t.Errorf("%s: %s", want.Name, d)
		}
	}
}

func raw(columns ...schema.Column) schema.Table {
	return schema.Table{Name: "raw.crm__contacts", Columns: columns, Key: []string{"id"}}
}

func TestEnsureEvolvesAndOldFilesStayReadable(t *testing.T) {
	l := openLake(t, testConfig(t))
	ctx := context.Background()
	first := ensure(t, l, raw(
		schema.Column{Name: "id", Type: schema.Text, Required: true},
		schema.Column{Name: "visits", Type: schema.Int},
		schema.Column{Name: "gone", Type: schema.Text, Required: true},
		schema.Column{Name: "price", Type: "decimal(10,2)"},
	))
	old := put(t, l, schema.Table{Name: first.Name, Columns: first.Columns[:3]}, "", "old", 3)
	commit(t, l, appendTo(first.Name, "1", old))
	second := ensure(t, l, raw(
		schema.Column{Name: "tags", Type: schema.List(schema.Text)},
		schema.Column{Name: "id", Type: schema.Text, Required: true},
		schema.Column{Name: "visits", Type: schema.Long},
		schema.Column{Name: "price", Type: "decimal(12,2)"},
		schema.Column{Name: "city", Type: schema.Text, Required: true},
	))
	want := []schema.Column{
		{ID: 5, Name: "tags", Type: schema.List(schema.Text), Sub: []int{6}},
		{ID: 1, Name: "id", Type: schema.Text, Required: true},
		{ID: 2, Name: "visits", Type: schema.Long},
		{ID: 4, Name: "price", Type: "decimal(12,2)"},
		{ID: 7, Name: "city", Type: schema.Text}, // rows without it are there already
	}
	if d := cmp.Diff(want, second.Columns); d != "" {
		t.Fatalf("columns (-want +got):\n%s", d)
	}
	all, _ := l.Describe(ctx, first.Name)
	if c, ok := all.Column("gone"); !ok || c.Required {
		t.Errorf("a dropped declaration leaves column %+v, want it optional", c)
	}
	s := commit(t, l, appendTo(first.Name, "2",
		put(t, l, schema.Table{Name: first.Name, Columns: []schema.Column{second.Columns[1], second.Columns[2], second.Columns[4]}}, "", "new", 2)))
	// Iceberg's own reader, by field id: old files give null and wider types.
	meta, _ := l.load(ctx, first.Name)
	got, err := meta.Scan(table.WithSnapshotID(s.ID), table.WithSelectedFields("id", "visits", "city")).ToArrowTable(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Release()
	if got.NumRows() != 5 {
		t.Errorf("%d rows, want 5", got.NumRows())
	}
	if typ := got.Schema().Field(1).Type.String(); typ != "int64" {
		t.Errorf("visits is read as %s", typ)
	}
	if nulls := got.Column(2).NullN(); nulls != 3 {
		t.Errorf("city is null in %d rows, want the 3 old ones", nulls)
	}
}

func TestEnsureRefusesNarrowing(t *testing.T) {
	l := openLake(t, testConfig(t))
	ctx := context.Background()
	before := ensure(t, l, raw(schema.Column{Name: "id", Type: schema.Text}, schema.Column{Name: "n", Type: schema.Long}))
	for _, typ := range []schema.Type{schema.Int, schema.Text, schema.Double, "decimal(10,0)", schema.List(schema.Long)} {
		_, err := l.Ensure(ctx, raw(schema.Column{Name: "id", Type: schema.Text}, schema.Column{Name: "new", Type: schema.Text}, schema.Column{Name: "n", Type: typ}))
		wantCode(t, err, weir.Invalid)
		for _, word := range []string{before.Name, " n ", "long", string(typ)} {
			if err != nil && !strings.Contains(err.Error(), word) {
				t.Errorf("%q does not say %q", err, word)
			}
		}
	}
	if after, _ := l.Describe(ctx, before.Name); len(after.Columns) != 2 {
		t.Errorf("a refused declaration changed the table: %+v", after.Columns)
	}
}

func TestRacingEnsures(t *testing.T) {
	c := testConfig(t)
	var wg sync.WaitGroup
	results := make([]schema.Table, 8)
	for i := range results {
		l := openLake(t, c)
		wg.Go(func() {
			columns := []schema.Column{{Name: "id", Type: schema.Text}, {Name: "c" + string(rune('0'+i%4)), Type: schema.Long}}
			got, err := l.Ensure(context.Background(), raw(columns...))
			if err != nil {
				t.Errorf("racer %d: %v", i, err)
			}
			results[i] = got
		})
	}
	wg.Wait()
	all, err := openLake(t, c).Describe(context.Background(), "raw.crm__contacts")
	if err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, col := range all.Columns {
		ids[col.ID] = true
	}
	if len(all.Columns) != 5 || len(ids) != 5 {
		t.Errorf("columns after the race: %+v", all.Columns)
	}
	for i, r := range results {
		for _, got := range r.Columns {
			if want, _ := all.Column(got.Name); want.ID != got.ID {
				t.Errorf("racer %d was told id %d for %s, which has %d", i, got.ID, got.Name, want.ID)
			}
		}
	}
}
