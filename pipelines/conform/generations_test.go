package conform

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
)

// New rows add files of events and leave the others as they are, byte by byte; a row
// that is collected again moves out of the file that it was in; when generations are
// too many they become one. The rows are always those of all versions.
func TestNewEventsLeaveTheFilesOfOthers(t *testing.T) {
	l := newLake(t)
	visits := weir.Mapping{Source: "web", Stream: "visits", As: "event", Key: []string{"id"}, DefaultRegion: "FR", Timezone: "UTC",
		Fields: map[string]string{"name": "'Visit'", "occurred_at": "at"}}
	l.stream(visits, texts("id", "at"))
	raw := l.schemas["raw.web__visits"]
	files := func() (names []string) {
		t.Helper()
		m := l.run()
		seen := map[string]bool{}
		for _, e := range rows[weir.Event](l, m, eventsTable) {
			if seen[e.ID] {
				t.Errorf("%s is there twice", e.ID)
			}
			seen[e.ID] = true
		}
		for _, tf := range m.Tables {
			if tf.Table == eventsTable {
				for _, f := range tf.Files {
					names = append(names, f.Path)
				}
			}
		}
		if want := m.Counts["rows_out"]; int64(len(seen)) != want {
			t.Errorf("%d rows, and %d were counted", len(seen), want)
		}
		return names
	}
	land := func(day int, ids ...int) {
		text := ""
		for _, id := range ids {
			text += fmt.Sprintf("{\"id\": \"%d\", \"at\": \"2025-07-01T08:%02d:00Z\"}\n", id, id%60)
		}
		l.land(raw, fmt.Sprint("day", day), collected{monday.AddDate(0, 0, day), fmt.Sprintf("visits-%d.ndjson", day), text})
	}
	left := func(of, in []string) (n int) {
		for _, f := range of {
			if !slices.Contains(in, f) {
				n++
			}
		}
		return n
	}
	var before []string
	for day := range mostGenerations + 2 {
		land(day, 10*day, 10*day+1, 10*day+2)
		now := files()
		gone, wantFiles := left(before, now), day%mostGenerations+1
		if day == mostGenerations {
			wantFiles = 2 // all before in one, and the new
			if gone != mostGenerations {
				t.Errorf("day %d: %d files went", day, gone)
			}
		} else if day > mostGenerations {
			wantFiles = 3
		}
		if day != mostGenerations && gone != 0 || len(now) != wantFiles {
			t.Errorf("day %d: %d files of %d went, %d are there, want %d", day, gone, len(before), len(now), wantFiles)
		}
		before = now
	}
	last := mostGenerations + 1
	land(last+1, 10*last) // again, of the day before
	if now := files(); left(before, now) != 1 || len(now) != len(before)+1 {
		t.Errorf("one row again: %d of %d files went, %d are there", left(before, now), len(before), len(now))
	}
}

func TestGenerationsFollowFromTheRows(t *testing.T) {
	at := func(n int) []version {
		var out []version
		for i := range n {
			out = append(out, version{CollectedAt: time.Unix(int64(i%40), 0).UnixMicro()})
		}
		return out
	}
	for n, want := range map[int]int{0: 0, 1: 1, mostGenerations: mostGenerations, mostGenerations + 1: 1, 400: 40 - mostGenerations} {
		if g := generationsOf(at(n)); len(g) != want {
			t.Errorf("%d rows: %d generations, want %d", n, len(g), want)
		}
	}
}
