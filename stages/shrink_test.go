package stages

import (
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

// A read that leaves nobody is refused as long as it lasts, and the rows stay.
func TestAReadThatLeavesNothingIsRefused(t *testing.T) {
	w, s := newShelf(t)
	s.files["a.csv"] = text("v", "1", "2", "3")
	w.collect()
	s.files["a.csv"] = text("v")
	for range 2 {
		_, err := w.pass(weir.Collect, "shelf/things", w.next())
		if weir.CodeOf(err) != weir.Denied || !strings.Contains(err.Error(), "a.csv: the read gave no usable row, where 3 are held") ||
			!strings.Contains(err.Error(), "weir sync reset shelf/things") {
			t.Fatalf("an emptied file: %v", err)
		}
		w.wantLanded("v=1 ", "v=2 ", "v=3 ")
	}
	if err := w.Rewind(t.Context(), w.next(), "shelf/things", false); err != nil { // backfill keeps what is there
		t.Fatal(err)
	}
	if _, err := w.pass(weir.Collect, "shelf/things", w.next()); err == nil {
		t.Error("a backfill lets nothing replace everything")
	}
	if err := w.Rewind(t.Context(), w.next(), "shelf/things", true); err != nil {
		t.Fatal(err)
	}
	if row := w.collect(); row.Counts["rows_gone"] != 3 {
		t.Errorf("a reset counts %v", row.Counts)
	}
	w.wantLanded()
}

func TestAStreamThatMayBeEmpty(t *testing.T) {
	w, s := newShelf(t)
	w.project.Sources[0].Streams[0].MayBeEmpty = true
	s.files["a.csv"] = text("v", "1", "2")
	w.collect()
	s.files["a.csv"] = text("v")
	if row := w.collect(); row.Status != Done || row.Error != "" {
		t.Errorf("%s %s", row.Status, row.Error)
	}
	w.wantLanded()
}

// What a source drops of its own accord is fine; that it drops most of all it had
// is told, and nothing is held back.
func TestASharpDropIsTold(t *testing.T) {
	for _, c := range []struct {
		left int
		told bool
	}{{1, true}, {2, true}, {3, false}, {6, false}} {
		w, s := newShelf(t)
		s.files["a.csv"], s.files["b.csv"] = text("v", "1", "2", "3"), text("v", "4", "5", "6")
		w.collect()
		all := []any{"1", "2", "3"}
		s.files["a.csv"] = text("v", all[:min(c.left, 3)]...)
		if c.left < 6 {
			delete(s.files, "b.csv")
		}
		row := w.collect()
		if got := strings.Contains(row.Error, "of the 6 rows held before are gone"); got != c.told || row.Status == Partial {
			t.Errorf("%d of 6 are left: %s %q", c.left, row.Status, row.Error)
		}
		if row.Counts["rows_gone"] != int64(6-c.left) {
			t.Errorf("%d of 6 are left, and %v is counted", c.left, row.Counts)
		}
	}
}

// A drop is told in every run until the rows are back or it is accepted, whether
// something else changed or nothing did.
func TestASharpDropIsToldAsLongAsItLasts(t *testing.T) {
	const gone = "of the 6 rows held before are gone"
	for what, end := range map[string]func(w *world, s *shelf){
		"rows come back": func(_ *world, s *shelf) { s.files["a.csv"] = text("v", "1", "2", "3") },
		"a reset": func(w *world, _ *shelf) {
			if err := w.Rewind(t.Context(), w.next(), "shelf/things", true); err != nil {
				t.Fatal(err)
			}
		},
		"it may be empty": func(w *world, _ *shelf) { w.project.Sources[0].Streams[0].MayBeEmpty = true },
		"it may be empty, and more changed": func(w *world, s *shelf) {
			w.project.Sources[0].Streams[0].MayBeEmpty = true
			s.files["a.csv"] = text("v", "7")
		},
	} {
		w, s := newShelf(t)
		s.files["a.csv"] = text("v", "1", "2", "3", "4", "5", "6")
		w.collect()
		s.files["a.csv"] = text("v", "1")
		row := w.collect()
		for n, change := range []func(){func() {}, func() {}, func() { s.files["a.csv"] = text("v", "1", "2") }, func() {}} {
			if !strings.Contains(row.Error, gone) || row.Counts[droppedFrom] != 6 {
				t.Fatalf("%s, run %d: %s %q %v", what, n, row.Status, row.Error, row.Counts)
			}
			change()
			row = w.collect()
		}
		end(w, s)
		for range 2 {
			if row = w.collect(); row.Error != "" || row.Counts[droppedFrom] != 0 {
				t.Errorf("%s, and then: %s %q %v", what, row.Status, row.Error, row.Counts)
			}
		}
	}
}

// A file that can't be used is told in every run, not only in the first.
func TestAnUnusableFileIsToldAsLongAsItLasts(t *testing.T) {
	w, s := newShelf(t)
	s.files["a.csv"] = text("v", "1")
	w.collect()
	s.files["a.csv"] = text("v", "2")
	s.fail = func(string) error { return weir.Errorf(weir.Invalid, "truncated") }
	for range 3 {
		if row := w.collect(); row.Status != Partial || !strings.Contains(row.Error, "truncated") {
			t.Fatalf("%s %q", row.Status, row.Error)
		}
	}
}

// A source that lacks some of what it had says how much, also where nothing else changed.
func TestMissingFilesAreCounted(t *testing.T) {
	w, s := newShelf(t)
	s.files["a.csv"] = text("v", "1")
	w.collect()
	s.missing = 2
	if row := w.collect(); row.Status != Unchanged || row.Counts[missingScopes] != 2 {
		t.Errorf("%s %v", row.Status, row.Counts)
	}
	s.files["a.csv"] = text("v", "2")
	if row := w.collect(); row.Status != Done || row.Counts[missingScopes] != 2 {
		t.Errorf("%s %v", row.Status, row.Counts)
	}
	s.missing = 0
	if row := w.collect(); row.Counts[missingScopes] != 0 {
		t.Errorf("found again: %v", row.Counts)
	}
}
