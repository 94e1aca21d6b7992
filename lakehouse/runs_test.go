package lakehouse

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func record(t *testing.T, l *Lake, id string, minute int, status string, pins map[string]int64) weir.StageRun {
	t.Helper()
	at := noon.Add(time.Duration(minute) * time.Minute)
	run := weir.StageRun{RunID: weir.RunID(id), Stage: weir.Resolve, StartedAt: at.Add(-time.Minute), EndedAt: at, Now: noon,
		Status: status, RowsIn: 3, Counts: map[string]int64{"edges": 2}, Snapshots: pins, SpecDigest: "abc", Follows: map[string]string{}}
	if err := l.RecordRun(context.Background(), run); err != nil {
		t.Fatal(err)
	}
	return run
}

func TestPins(t *testing.T) {
	c := testConfig(t)
	l := openLake(t, c)
	ctx := context.Background()
	if pins, err := l.Pins(ctx); err != nil || len(pins) != 0 {
		t.Fatalf("pins of an empty lake: %v, %v", pins, err)
	}
	tab := ensure(t, l, links)
	var s []Snapshot
	for i := range 4 {
		s = append(s, commit(t, l, appendTo(tab.Name, fmt.Sprint(i), put(t, l, tab, "", fmt.Sprint(i, "-"), 1+i))))
	}
	record(t, l, "r1", 1, "done", map[string]int64{tab.Name: s[0].ID})
	record(t, l, "r3", 3, "partial", map[string]int64{tab.Name: s[2].ID})
	record(t, l, "r2", 4, "unchanged", map[string]int64{tab.Name: s[1].ID, "core.traits": 0}) // ended last, committed first
	record(t, l, "r4", 5, "failed", map[string]int64{tab.Name: s[3].ID})
	for _, l := range []*Lake{l, openLake(t, c)} { // with a warm cache and a cold one
		pins, err := l.Pins(ctx)
		if d := cmp.Diff(map[string]int64{tab.Name: s[2].ID}, pins); d != "" || err != nil {
			t.Errorf("pins: %v %s", err, d)
		}
		pins, err = l.PinsAsOf(ctx, noon.Add(2*time.Minute))
		if d := cmp.Diff(map[string]int64{tab.Name: s[0].ID}, pins); d != "" || err != nil {
			t.Errorf("pins as of the first run: %v %s", err, d)
		}
	}
	// A row recorded after another process has read is seen.
	other := openLake(t, c)
	other.Pins(ctx)
	record(t, l, "r5", 6, "done", map[string]int64{tab.Name: s[3].ID})
	if pins, _ := other.Pins(ctx); pins[tab.Name] != s[3].ID {
		t.Error("a later run's pin is not seen")
	}
}

// What people write is current when it is committed, without a run.
func TestPinsOfWhatPeopleWrite(t *testing.T) {
	l := openLake(t, testConfig(t))
	ctx := context.Background()
	tab := ensure(t, l, schemaNamed(links, byPeople[0]))
	if pins, err := l.Pins(ctx); err != nil || len(pins) != 0 {
		t.Fatalf("pins %v, %v: nothing was written", pins, err)
	}
	first := commit(t, l, appendTo(tab.Name, "d1", put(t, l, tab, "", "a", 1)))
	second := commit(t, l, appendTo(tab.Name, "d2", put(t, l, tab, "", "b", 1)))
	if pins, err := l.Pins(ctx); err != nil || pins[tab.Name] != second.ID {
		t.Fatalf("pins %v, %v, want %d", pins, err, second.ID)
	}
	before := first.At.Add(-time.Second)
	if pins, err := l.PinsAsOf(ctx, before); err != nil || len(pins) != 0 {
		t.Fatalf("pins %v, %v before anything was written", pins, err)
	}
	if pins, err := l.PinsAsOf(ctx, second.At); err != nil || pins[tab.Name] != second.ID {
		t.Fatalf("pins %v, %v as of the second", pins, err)
	}
}

func TestRunsAreWholeAndMerged(t *testing.T) {
	c := testConfig(t)
	l := openLake(t, c)
	ctx := context.Background()
	var want []weir.StageRun
	for i := range 2*maxRunFiles + 7 {
		run := record(t, l, fmt.Sprintf("r%03d", i), i, "done", map[string]int64{"core.records": int64(i + 1)})
		want = append(want, run)
		if i%40 == 0 { // the activity is tried again
			if err := l.RecordRun(ctx, run); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := openLake(t, c).Runs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("runs (-want +got):\n%s", d)
	}
	s, _ := l.Current(ctx, runsTable)
	if files, _ := l.Files(ctx, runsTable, s.ID); len(files) > maxRunFiles {
		t.Errorf("%d files, at most %d are left unmerged", len(files), maxRunFiles)
	}
}
