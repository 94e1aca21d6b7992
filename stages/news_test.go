package stages

import (
	"testing"

	"github.com/weir-cdp/weir"
)

// A run is partial for what is newly quarantined; what was there before is told
// and no more. The same row with the same reason is the same, whatever else of
// its file changed.
func TestOnlyWhatIsNewlyQuarantinedMakesARunPartial(t *testing.T) {
	w := newTown(t)
	people := page{columns: []string{"id", "email", "phone", "name", "country", "born"}}
	row := func(id, name, born string) {
		people.rows = append(people.rows, []string{id, id + "@x.org", "", name, "FR", born})
	}
	row("a", "Ann", "1990-01-02")
	row("b", "Bob", "never")
	row("c", "Cid", "1990-01-02")
	people.rows = append(people.rows, []string{"ragged"})
	pass := func(status string, collected, conformed [2]int64) {
		t.Helper()
		w.files["people"] = people
		for _, x := range []struct {
			stage weir.Stage
			part  string
			want  [2]int64
		}{{weir.Collect, "town/people", collected}, {weir.Conform, "", conformed}} {
			row := w.must(x.stage, x.part)
			if got := [2]int64{row.Counts[newRows], row.Counts[oldRows]}; row.Status != status || got != x.want {
				t.Errorf("%s is %s with %v new and old rows, not %s with %v", x.stage, row.Status, got, status, x.want)
			}
		}
	}
	pass(Partial, [2]int64{1, 0}, [2]int64{1, 0})
	pass(Unchanged, [2]int64{0, 1}, [2]int64{0, 1})
	people.rows[0][3] = "Anna-Maria"
	pass(Done, [2]int64{0, 1}, [2]int64{0, 1})
	people.rows[2][5] = "tomorrow"
	people.rows = append(people.rows, []string{"ragged too"})
	pass(Partial, [2]int64{1, 1}, [2]int64{1, 1})
	people.rows[1][5] = "1990-01-02" // mended
	pass(Done, [2]int64{0, 2}, [2]int64{0, 1})
	people.rows[2][5] = ""
	pass(Done, [2]int64{0, 2}, [2]int64{0, 0})
	pass(Unchanged, [2]int64{0, 2}, [2]int64{0, 0})
}
