package stages

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir"
)

func TestCollectFollowsItsSource(t *testing.T) { // invariants 1, 2
	w, s := newShelf(t)
	s.files["data/a b@2.csv"] = text("v", "1", "2")
	s.files["data/c.csv"] = text("v", "3")
	s.files["empty.csv"] = text("v")
	s.log = [][]string{{"x", "y"}}
	if row := w.collect(); row.Status != Done || row.RowsOut != 5 {
		t.Fatalf("%s %d", row.Status, row.RowsOut)
	}
	w.wantLanded("v=1 ", "v=2 ", "v=3 ", "v=x ", "v=y ")
	reads := maps.Clone(s.reads)
	if row := w.collect(); row.Status != Unchanged || !maps.Equal(reads, s.reads) {
		t.Fatalf("a second run: %s, reads %v", row.Status, s.reads)
	}
	s.files["data/a b@2.csv"] = text("v", "4")
	delete(s.files, "data/c.csv")
	s.log = append(s.log, []string{"z"})
	w.collect()
	w.wantLanded("v=4 ", "v=x ", "v=y ", "v=z ")
	snap, err := w.Lake.Current(t.Context(), things)
	if err != nil || snap.Properties[cursorProperty] != "2" {
		t.Errorf("the cursor is %q, %v", snap.Properties[cursorProperty], err)
	}
}

func TestCollectOfNothing(t *testing.T) {
	w, _ := newShelf(t)
	if row := w.collect(); row.Status != Done || row.RowsOut != 0 {
		t.Fatalf("%s %d", row.Status, row.RowsOut)
	}
	if row := w.collect(); row.Status != Unchanged {
		t.Fatalf("again: %s", row.Status)
	}
}

func TestCollectOfEmptyFiles(t *testing.T) {
	w, s := newShelf(t)
	s.files["a.csv"] = text("v")
	w.collect()
	if row := w.collect(); row.Status != Unchanged {
		t.Fatalf("an empty file is read again: %s", row.Status)
	}
}

// Whatever dies on the way, the table is that of an undisturbed run, and no
// finished split is read again.
func TestCollectDiesAnywhere(t *testing.T) { // invariants 1, 3
	r := rand.New(rand.NewPCG(1, 2))
	for try := range 4 {
		w, s := newShelf(t)
		var want []string
		for f := range 6 {
			var rows []any
			for v := range 4 {
				rows = append(rows, fmt.Sprint(f, "-", v))
				want = append(want, fmt.Sprintf("v=%d-%d ", f, v))
			}
			s.files[fmt.Sprint("f", f)] = text("v", rows...)
		}
		s.log = [][]string{{"l0"}, {"l1"}}
		want = append(want, "v=l0 ", "v=l1 ")
		run, c := w.next(), w.All()[weir.Collect]
		s.fail = func(string) error {
			if r.IntN(6) == 0 {
				return errors.New("connection reset")
			}
			return nil
		}
		var spec, manifest string
		steps := []func(context.Context) error{
			func(ctx context.Context) error { p, err := c.Plan(ctx, run, "shelf/things"); spec = p.Spec; return err },
			func(ctx context.Context) (err error) {
				manifest, err = c.Run(ctx, spec, func(weir.Progress) {})
				return err
			},
			func(ctx context.Context) error { _, err := c.Commit(ctx, manifest); return err },
		}
		for _, step := range steps {
			for n := 0; ; n++ {
				var k int64
				if n < 4 {
					k = 1 + r.Int64N(30)
				}
				if n > 8 {
					s.fail = nil
				}
				if w.crashing(k, step) == nil {
					break
				}
				if n > 20 {
					t.Fatal("it never ends")
				}
			}
		}
		reads := maps.Clone(s.reads)
		w.wantLanded(want...)
		manifestAgain, err := c.Run(t.Context(), spec, func(weir.Progress) {})
		if err != nil || manifestAgain != manifest || !maps.Equal(reads, s.reads) {
			t.Fatalf("try %d: run again gives %s, %v, reads %v after %v", try, manifestAgain, err, s.reads, reads)
		}
	}
}

func TestUnusableFileDoesNotStopTheOthers(t *testing.T) { // invariant 8
	w, s := newShelf(t)
	s.files["a.csv"], s.files["b.csv"] = text("v", "1", "2"), text("v", "3", "4")
	w.collect()
	s.files["a.csv"], s.files["b.csv"] = text("v", "5", "6"), text("v", "7", "8")
	s.fail = func(id string) error {
		if id == "f0" {
			return weir.Errorf(weir.Invalid, "truncated")
		}
		return nil
	}
	row := w.collect()
	if row.Status != Partial || row.Counts["quarantined"] != 1 {
		t.Fatalf("%s %v", row.Status, row.Counts)
	}
	w.wantLanded("v=1 ", "v=2 ", "v=7 ", "v=8 ") // a keeps what it held
	if bad := w.bad(); len(bad) != 1 || bad[0].Origin != "a.csv" || !bad[0].Withheld {
		t.Errorf("quarantine: %+v", bad)
	}
	s.fail = nil
	w.collect()
	w.wantLanded("v=5 ", "v=6 ", "v=7 ", "v=8 ")
	if bad := w.bad(); len(bad) != 0 {
		t.Errorf("mended, and still in quarantine: %+v", bad)
	}
}

func TestPartThatHasNoScopeFailsTheStream(t *testing.T) { // invariant 1
	w, s := newShelf(t)
	s.log = [][]string{{"x"}, {"y"}}
	s.fail = func(id string) error {
		if id == "log1" {
			return weir.Errorf(weir.Invalid, "bad page")
		}
		return nil
	}
	if _, err := w.pass(weir.Collect, "shelf/things", w.next()); weir.CodeOf(err) != weir.Invalid {
		t.Fatalf("error is %v", err)
	}
	s.fail = func(string) error { panic("a defect") }
	if _, err := w.pass(weir.Collect, "shelf/things", w.next()); weir.CodeOf(err) != weir.Internal {
		t.Fatalf("a panic is %v", err)
	}
	if snap, err := w.Lake.Current(t.Context(), things); err == nil && (snap.ID != 0 || snap.Properties[cursorProperty] != "") {
		t.Errorf("something was committed: %+v", snap)
	}
	s.fail = nil
	w.collect()
	w.wantLanded("v=x ", "v=y ")
}

func TestRewind(t *testing.T) {
	for _, drop := range []bool{false, true} {
		t.Run(fmt.Sprint("drop ", drop), func(t *testing.T) {
			w, s := newShelf(t)
			s.files["a"], s.files["b"] = text("v", "1"), text("v", "2")
			s.log = [][]string{{"x"}}
			w.collect()
			delete(s.files, "b")
			run := w.next()
			for range 2 {
				if err := w.Rewind(t.Context(), run, "shelf/things", drop); err != nil {
					t.Fatal(err)
				}
			}
			if row := w.collect(); row.Status == Unchanged {
				t.Fatal("nothing was read again")
			}
			if drop {
				w.wantLanded("v=1 ", "v=x ")
			} else {
				w.wantLanded("v=1 ", "v=2 ", "v=x ", "v=x ") // by key the later one counts
			}
			if w.collect(); drop {
				if row := w.collect(); row.Status != Unchanged {
					t.Errorf("rewound once, read twice: %s", row.Status)
				}
			}
		})
	}
}

func TestSessionsAreNotMixed(t *testing.T) {
	w, s := newShelf(t)
	s.session = "s"
	s.files["a"], s.files["b"], s.files["c"] = text("v", "1"), text("v", "1"), text("v", "1")
	run, c := w.next(), w.All()[weir.Collect]
	plan, err := c.Plan(t.Context(), run, "shelf/things")
	if err != nil {
		t.Fatal(err)
	}
	s.fail = func(id string) error {
		if id == "f2" {
			return errors.New("connection reset")
		}
		return nil
	}
	if _, err := c.Run(t.Context(), plan.Spec, func(weir.Progress) {}); err == nil {
		t.Fatal("the run did not fail")
	}
	s.fail = nil
	for scope := range s.files { // what another snapshot sees
		f := text("v", "2")
		f.version = s.files[scope].version
		s.files[scope] = f
	}
	manifest, err := c.Run(t.Context(), plan.Spec, func(weir.Progress) {})
	if err == nil {
		_, err = c.Commit(t.Context(), manifest)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.wantLanded("v=2 ", "v=2 ", "v=2 ")
}

func TestColumnsDrift(t *testing.T) {
	w, s := newShelf(t)
	s.files["1"] = typed("n", arrow.PrimitiveTypes.Int32, "1")
	w.collect()
	s.files["2"] = longs("n", "5000000000") // wider: the table widens
	s.files["3"] = text("n", "7", "seven")  // other: what fits is kept
	s.files["4"] = typed("n", arrow.PrimitiveTypes.Float64, "2", "2.5")
	s.files["5"] = text("m", "new")
	s.files["6"] = longs("N", "9") // the same column, spelled otherwise
	row := w.collect()
	if row.Status != Partial || row.Counts["quarantined"] != 2 {
		t.Fatalf("%s %v", row.Status, row.Counts)
	}
	w.wantLanded("", "", "m=new ", "n=1 ", "n=2 ", "n=5000000000 ", "n=7 ", "n=9 ")
	bad := w.bad()
	if len(bad) != 2 || bad[0].Origin != "3:2" || bad[0].Field != "n" || bad[0].Excerpt != "seven" || bad[0].Withheld || bad[1].Excerpt != "2.5" {
		t.Errorf("quarantine: %+v", bad)
	}
	s.files["7"] = longs("m", "12") // text takes everything
	w.collect()
	w.wantLanded("", "", "m=12 ", "m=new ", "n=1 ", "n=2 ", "n=5000000000 ", "n=7 ", "n=9 ")
}

func TestColumnNamesThatCannotBeTold(t *testing.T) { // invariant 8
	w, s := newShelf(t)
	s.files["a"] = text("v", "1")
	twice := text("v", "2")
	twice.columns = append(twice.columns, arrow.Field{Name: "V", Type: arrow.BinaryTypes.String, Nullable: true})
	twice.rows[0] = append(twice.rows[0], "3")
	s.files["b"], s.files["c"] = twice, text("_weir_op", "delete")
	if row := w.collect(); row.Status != Partial {
		t.Fatalf("%s %v", row.Status, row.Counts)
	}
	w.wantLanded("v=1 ")
	bad := w.bad()
	if len(bad) != 2 || !strings.Contains(bad[0].Reason, `"v" and "V"`) || !strings.Contains(bad[1].Reason, "_weir_op") {
		t.Errorf("quarantine: %+v", bad)
	}
}
