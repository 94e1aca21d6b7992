package stages

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
)

// Whatever an export of consents leaves out, adds or says anew, what somebody last
// said stays if it restricts, and a grant counts only while it is told.
func TestARestrictionOutlivesItsRow(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 7))
	w := newTown(t)
	said := map[string]string{} // by key, the last word that was ever told
	ids := []string{"a", "b", "c", "d", "e"}
	for n := range 12 {
		told := map[string]string{}
		for _, id := range ids {
			if n == 0 || r.IntN(3) > 0 {
				told[id] = []string{"granted", "withdrawn", "objected"}[r.IntN(3)]
			}
		}
		told["z"] = "granted" // an export is never empty here: that is refused
		f := page{columns: []string{"id", "email", "purpose", "action", "at"}}
		for _, id := range slices.Sorted(maps.Keys(told)) {
			f.rows = append(f.rows, []string{id, id + "@x.org", "marketing.newsletter", told[id], "2026-01-02" + fmt.Sprintf("T00:00:%02dZ", n)})
		}
		f.columns = append(f.columns, "run")
		for i := range f.rows {
			f.rows[i] = append(f.rows[i], fmt.Sprintf("%0*d", n+1, n)) // another version
		}
		maps.Copy(said, told)
		w.files["optins"] = f
		w.must(weir.Collect, "town/optins")
		w.must(weir.Conform, "")
		want := map[string]string{}
		for id, action := range said {
			if told[id] != "" || action != "granted" {
				want["town/optins/"+id] = action
			}
		}
		if d := cmp.Diff(want, w.consents()); d != "" {
			t.Fatalf("read %d (-want +got):\n%s", n, d)
		}
	}
	// A reset is the way to forget.
	if err := w.Rewind(t.Context(), w.next(), "town/optins", true); err != nil {
		t.Fatal(err)
	}
	w.files["optins"] = page{columns: []string{"id", "email", "purpose", "action", "at"}, rows: [][]string{{"a", "a@x.org", "marketing.newsletter", "granted", "2026-03-01"}}}
	w.must(weir.Collect, "town/optins")
	w.must(weir.Conform, "")
	if d := cmp.Diff(map[string]string{"town/optins/a": "granted"}, w.consents()); d != "" {
		t.Errorf("after a reset (-want +got):\n%s", d)
	}
}

// consents gives the actions by consent.
func (w *town) consents() map[string]string {
	w.t.Helper()
	out := map[string]string{}
	for _, c := range ledger[weir.Consent](w.world, "core.consents", "order by consent_id") {
		out[c.ID] = string(c.Action)
	}
	return out
}

// A stream of people is as its source has it.
func TestOnlyConsentsOutliveTheirRows(t *testing.T) {
	w, s := newShelf(t)
	s.files["a.csv"] = text("v", "1", "2")
	w.collect()
	s.files["a.csv"] = text("v", "1")
	if row := w.collect(); row.Counts[formerRows] != 0 {
		t.Errorf("%v", row.Counts)
	}
	w.wantLanded("v=1 ")
}
