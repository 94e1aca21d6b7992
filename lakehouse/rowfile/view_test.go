package rowfile_test

import (
	"iter"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// A view shows what the rows made of it hold, and those that are chosen, and no
// others, are made; columns that are not wanted are left out of them.
func TestChosenRowsAreThoseOfAScan(t *testing.T) {
	s := objecttest.Open(t)
	table := schema.Named("core.events")
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.SliceOfN(event, 1, 20).Draw(rt, "rows")
		files := write(t, s, table, rows)
		all := collect(t, rowfile.Scan[weir.Event](t.Context(), s, table, files))
		seed := rapid.SliceOfN(rapid.Bool(), len(all), len(all)).Draw(rt, "chosen")
		at := 0
		look := func(v *rowfile.View, chosen []bool) error {
			name, err := v.Text("name")
			if err != nil {
				return err
			}
			first, err := v.First("identifiers")
			if err != nil {
				return err
			}
			none, err := v.Text("no_such_column")
			if err != nil {
				return err
			}
			for i := range v.Rows() {
				want := all[at]
				if name(i) != want.Name || none(i) != "" {
					rt.Fatalf("row %d: %q, want %q", at, name(i), want.Name)
				}
				for kind, values := range want.Identifiers {
					got, n := first(i, kind)
					if n != len(values) || n > 0 && got != values[0] {
						rt.Fatalf("row %d: %s: %d values, first %q, want %q", at, kind, n, got, values)
					}
				}
				if _, n := first(i, "no such kind"); n != 0 {
					rt.Fatal("values of a kind that is not there")
				}
				chosen[i] = seed[at]
				at++
			}
			return nil
		}
		var want []weir.Event
		for i := range all {
			if seed[i] {
				all[i].Source = ""
				want = append(want, all[i])
			}
		}
		for i := range all {
			all[i].Source = ""
		}
		wanted := func(c string) bool { return c != "source" }
		got := lent(t, rowfile.Choose[weir.Event](t.Context(), s, table, files, -1, wanted, look))
		if d := cmp.Diff(want, got, equal); d != "" {
			rt.Fatal(d)
		}
		at = 0
		got = lent(t, rowfile.Choose[weir.Event](t.Context(), s, table, files[:1], 0, wanted, look))
		if d := cmp.Diff(want, got, equal); d != "" {
			rt.Fatal(d)
		}
	})
}

// lent keeps rows whose maps are of the one before.
func lent(t *testing.T, rows iter.Seq2[weir.Event, error]) (out []weir.Event) {
	t.Helper()
	for r, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		r.Properties, r.Identifiers = maps.Clone(r.Properties), maps.Clone(r.Identifiers)
		out = append(out, r)
	}
	return out
}
