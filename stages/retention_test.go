package stages

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/project"
)

// A bad value is shown for as long as weir.yaml says, by collect's rows and
// conform's: then its row stays, and no snapshot that can be read has the value.
func TestExcerptsOfBadValuesAreDropped(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	people := page{columns: []string{"id", "email", "phone", "name", "country", "born"}, rows: [][]string{{"a", "a@x.org", "", "Ann", "FR", "my secret day"}, {"my secret row"}}}
	w.files["people"] = people
	w.must(weir.Collect, "town/people")
	w.must(weir.Conform, "")
	shown := func(excerpts int) {
		t.Helper()
		bad := w.bad()
		if n := len(slices.DeleteFunc(slices.Clone(bad), func(q weir.Quarantined) bool { return q.Excerpt == "" })); n != excerpts || len(bad) != 2 {
			t.Errorf("%d of %d rows have an excerpt, not %d of 2", n, len(bad), excerpts)
		}
	}
	p := &project.Project{Name: "shop", Retention: project.Retention{Snapshots: 30 * 24 * time.Hour, QuarantineValues: 48 * time.Hour}}
	maintain := func(now time.Time, dry bool) Maintenance {
		t.Helper()
		m, err := w.Maintain(ctx, p, now, dry)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	shown(2)
	if m := maintain(w.at.Add(47*time.Hour), false); m.Values != 0 {
		t.Errorf("dropped %d too early", m.Values)
	}
	shown(2)
	if m := maintain(w.at.Add(49*time.Hour), true); m.Values != 2 {
		t.Errorf("a dry run finds %d", m.Values)
	}
	shown(2)
	if m := maintain(w.at.Add(49*time.Hour), false); m.Values != 2 {
		t.Errorf("dropped %d", m.Values)
	}
	shown(0)
	// The lake's own clock is the computer's: a month later nothing has the values.
	maintain(time.Now().Add(30*24*time.Hour), false)
	for o, err := range w.store().List(ctx, "ops/quarantine/data/") {
		if err != nil {
			t.Fatal(err)
		}
		b, err := w.store().ReadFile(ctx, o.Key)
		if err != nil || strings.Contains(string(b), "secret") {
			t.Errorf("%s holds a value still (%v)", o.Key, err)
		}
	}
	// As of before, the quarantine is as it is now, and the rest as it was.
	sess, err := sql.Open(ctx, sql.Options{Store: w.store(), TempDir: w.Dir, MemoryLimit: 256 << 20, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer sess.Close()
	runs, err := w.Lake.Runs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AttachAll(ctx, sess, runs[1].EndedAt); err != nil {
		t.Error(err)
	}
}

// What a paused sync has landed survives any maintenance, however long it rests; it
// goes once the stream has gone on without it.
func TestMaintenanceSparesAPausedSync(t *testing.T) {
	w, s := newShelf(t)
	ctx := t.Context()
	s.files["a"], s.files["b"] = text("v", "1", "2"), text("v", "3", "4")
	c := w.All()[weir.Collect]
	run := w.next()
	s.fail = func(split string) error { // paused while it read the second file
		deadline := time.Now().Add(time.Minute)
		for split == "f1" && time.Now().Before(deadline) {
			if _, err := w.store().Stat(ctx, runPrefix(run, weir.Collect, "shelf/things")+"splits/f0.json"); err == nil {
				return context.Canceled
			}
		}
		return nil
	}
	plan, err := c.Plan(ctx, run, "shelf/things")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Run(ctx, plan.Spec, func(weir.Progress) {}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	p := &project.Project{Name: "shop", Retention: project.Retention{Snapshots: 24 * time.Hour}}
	maintain := func() {
		t.Helper()
		if _, err := w.Maintain(ctx, p, time.Now().Add(90*24*time.Hour), false); err != nil {
			t.Fatal(err)
		}
	}
	maintain()
	s.fail = nil
	before := s.reads["f0"]
	manifest, err := c.Run(ctx, plan.Spec, func(weir.Progress) {})
	if err == nil {
		_, err = c.Commit(ctx, manifest)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.reads["f0"] != before {
		t.Error("the file that was landed was read again")
	}
	w.wantLanded("v=1 ", "v=2 ", "v=3 ", "v=4 ")

	// One that never came back: the next sync of the stream takes its place.
	s.files["c"] = text("v", "5", "6")
	lost := w.next()
	if plan, err = c.Plan(ctx, lost, "shelf/things"); err == nil {
		_, err = c.Run(ctx, plan.Spec, func(weir.Progress) {})
	}
	if err != nil {
		t.Fatal(err)
	}
	maintain()
	if left := keysBelow(ctx, t, w.village, "runs/"+string(lost.ID)+"/"); len(left) == 0 {
		t.Error("it may still come back")
	}
	s.files["c"] = text("v", "7", "8", "9")
	w.collect()
	s.files["d"] = text("v", "0", "0")
	w.collect()
	maintain()
	if left := keysBelow(ctx, t, w.village, "runs/"+string(lost.ID)+"/"); len(left) != 0 {
		t.Errorf("it won't come back: %v", left)
	}
}

// What no run follows any more goes; what the last one follows stays.
func TestMaintenanceSweepsDefinitions(t *testing.T) {
	w := newTown(t)
	w.year(0)
	for _, p := range townParts[:7] {
		w.must(p.stage, p.part)
	}
	w.project.Segments = w.project.Segments[:1]
	w.must(weir.Segment, "")
	if n := len(keysBelow(t.Context(), t, w.village, definitionsPrefix)); n != 2 {
		t.Fatalf("%d definitions", n)
	}
	p := &project.Project{Name: "shop", Retention: project.Retention{Snapshots: time.Hour}}
	if _, err := w.Maintain(t.Context(), p, time.Now().Add(90*24*time.Hour), false); err != nil {
		t.Fatal(err)
	}
	last, _, err := w.last(t.Context(), weir.Segment, "")
	if err != nil {
		t.Fatal(err)
	}
	left := keysBelow(t.Context(), t, w.village, definitionsPrefix)
	if len(left) != 1 || left[0] != last.Follows[followsDefinitions] {
		t.Errorf("left %v, followed %v", left, last.Follows)
	}
}
