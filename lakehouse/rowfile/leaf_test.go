package rowfile_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// Leaves hold what the rows made of a file hold: of maps that are empty and maps of
// lists, over many pages and row groups, of texts that repeat (and are in a dictionary,
// as long as that is small enough) and that don't.
func TestLeavesAreTheRows(t *testing.T) {
	s, table := objecttest.Open(t), schema.Named("core.events")
	const rows = 40_000
	random := rand.New(rand.NewPCG(7, 11))
	var all []weir.Event
	for i := range rows {
		all = append(all, leafEvent(random, i))
	}
	files := write(t, s, table, all, rowfile.GroupRows(16<<10))
	var got []weir.Event
	for _, f := range files {
		for g, err := range rowfile.ScanGroups(t.Context(), s, f, nil) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, leafRows(t, g)...)
		}
	}
	want := collect(t, rowfile.Scan[weir.Event](t.Context(), s, table, files))
	for i := range want {
		want[i].Source, want[i].Stream, want[i].ReceivedAt = "", "", time.Time{}
	}
	if len(got) != len(want) {
		t.Fatalf("%d rows, not %d", len(got), len(want))
	}
	for i := range want {
		if d := cmp.Diff(want[i], got[i], equal); d != "" {
			t.Fatalf("row %d: %s", i, d)
		}
	}
	for g, err := range rowfile.ScanGroups(t.Context(), s, files[0], []int{1}) {
		if err != nil || g.Group != 1 {
			t.Fatalf("group %d: %v", g.Group, err)
		}
		if _, odd, err := g.Leaves("event_id", "no_such_column"); err != nil || !odd {
			t.Fatalf("a column that is not there: odd %v, %v", odd, err)
		}
	}
}

func leafEvent(random *rand.Rand, i int) weir.Event {
	e := weir.Event{ID: fmt.Sprintf("shop/events/%06d", i), Name: []string{"Order Completed", "Product Viewed", ""}[random.IntN(3)],
		OccurredAt: time.UnixMicro(random.Int64N(1 << 50)).UTC(), ReceivedAt: time.UnixMicro(0).UTC(), Source: "shop", Stream: "events"}
	if random.IntN(4) > 0 { // names that a dictionary has no room for, after some time
		e.Name = fmt.Sprint(e.Name, random.IntN(1+i))
	}
	for _, kind := range []string{"email", "phone", "customer_id"} {
		if random.IntN(2) == 0 {
			continue
		}
		if e.Identifiers == nil {
			e.Identifiers = weir.Identifiers{}
		}
		e.Identifiers[kind] = []string{}
		for range random.IntN(3) {
			e.Identifiers[kind] = append(e.Identifiers[kind], fmt.Sprint(kind, random.IntN(1000)))
		}
	}
	for p := range random.IntN(9) {
		if e.Properties == nil {
			e.Properties = map[string]string{}
		}
		e.Properties[fmt.Sprint("property ", p)] = []string{"", "x", fmt.Sprint(random.Uint64())}[random.IntN(3)]
	}
	return e
}

// leafRows makes the rows of a group from its leaves.
func leafRows(t *testing.T, g *rowfile.RowGroup) (out []weir.Event) {
	t.Helper()
	l, odd, err := g.Leaves("event_id", "name", "occurred_at", "identifiers.key_value.key", "identifiers.key_value.value.list.element",
		"properties.key_value.key", "properties.key_value.value")
	if err != nil || odd {
		t.Fatalf("odd %v, %v", odd, err)
	}
	next := func(l *rowfile.Leaf) {
		if !l.Next() {
			t.Fatalf("row %d: there is none: %v", len(out), l.Err())
		}
		if texts, _ := l.Dictionary(); l.Code >= 0 && len(texts) > 0 && texts[l.Code] != l.Text {
			t.Fatalf("code %d is %q, not %q", l.Code, texts[l.Code], l.Text)
		}
	}
	for range g.Rows {
		for _, flat := range l[:3] {
			next(flat)
		}
		e := weir.Event{ID: string([]byte(l[0].Text)), Name: string([]byte(l[1].Text)), OccurredAt: time.UnixMicro(l[2].Int).UTC()}
		for more := true; more; more = l[3].More(1) {
			next(l[3])
			kind := string([]byte(l[3].Text))
			var values []string
			for more := true; more; more = l[4].More(2) {
				next(l[4])
				if l[4].Has(1) != l[3].Has(1) {
					t.Fatal("keys and values are not of one shape")
				}
				if l[3].Has(1) && l[4].Has(2) && !l[4].Null() {
					values = append(values, string([]byte(l[4].Text)))
				}
			}
			if l[3].Has(1) {
				if e.Identifiers == nil {
					e.Identifiers = weir.Identifiers{}
				}
				e.Identifiers[kind] = values
			}
		}
		for more := true; more; more = l[5].More(1) {
			next(l[5])
			next(l[6])
			if l[5].Has(1) {
				if e.Properties == nil {
					e.Properties = map[string]string{}
				}
				e.Properties[string([]byte(l[5].Text))] = string([]byte(l[6].Text))
			}
		}
		out = append(out, e)
	}
	for _, leaf := range l {
		if leaf.Next() {
			t.Fatal("there is an entry after the last row")
		}
	}
	return out
}
