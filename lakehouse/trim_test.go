package lakehouse

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
)

// Whatever history is trimmed: what is pinned, at any moment that time travel
// reaches, and how each part stands, is as before; and old rows go.
func TestTrimmedRunsTellTheSame(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(2) {
		r := rand.New(rand.NewPCG(seed, 2))
		c := testConfig(t)
		l := openLake(t, c)
		tab := ensure(t, l, links)
		var snaps []int64
		for i := range 6 {
			snaps = append(snaps, commit(t, l, appendTo(tab.Name, fmt.Sprint(i), put(t, l, tab, "", fmt.Sprint(i, "-"), 1))).ID)
		}
		if _, err := l.Expire(ctx, tab.Name, ExpirePolicy{Now: later(), KeepLast: 3, OlderThan: MinAge}); err != nil {
			t.Fatal(err)
		}
		const runs, cutoff = 70, 50
		at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
		for i := range runs {
			row := weir.StageRun{RunID: weir.RunID(fmt.Sprintf("r%03d", i)), Stage: []weir.Stage{weir.Resolve, weir.Unify, weir.Collect}[r.IntN(3)],
				Part: []string{"", "a", "b"}[r.IntN(3)], StartedAt: at(i), EndedAt: at(i), Now: noon, Status: []string{"done", "unchanged", "failed", "partial"}[r.IntN(4)]}
			if r.IntN(3) > 0 {
				row.Snapshots = map[string]int64{tab.Name: snaps[min(len(snaps)-1, i*len(snaps)/runs+r.IntN(2))], fmt.Sprint("core.t", r.IntN(3)): int64(i/10 + 1)}
			}
			if err := l.RecordRun(ctx, row); err != nil {
				t.Fatal(err)
			}
		}
		before := told(t, l, at, cutoff, runs)
		dry, err := l.TrimRuns(ctx, at(cutoff), true)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(allRuns(t, l)); n != runs {
			t.Fatalf("a dry run left %d rows", n)
		}
		dropped, err := l.TrimRuns(ctx, at(cutoff), false)
		if err != nil || dropped != dry || dropped < cutoff/2 {
			t.Errorf("dropped %d, said %d, %v", dropped, dry, err)
		}
		l = openLake(t, c)
		if left := len(allRuns(t, l)); left != runs-dropped {
			t.Errorf("%d rows are left of %d less %d", left, runs, dropped)
		}
		if d := cmp.Diff(before, told(t, l, at, cutoff, runs)); d != "" {
			t.Errorf("seed %d (-before +after):\n%s", seed, d)
		}
		if again, err := l.TrimRuns(ctx, at(cutoff), false); err != nil || again != 0 {
			t.Errorf("again: %d, %v", again, err)
		}
	}
}

func allRuns(t *testing.T, l *Lake) []weir.StageRun {
	t.Helper()
	out, err := l.Runs(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// told is what readers learn of ops.runs.
func told(t *testing.T, l *Lake, at func(int) time.Time, from, to int) map[string]any {
	t.Helper()
	out := map[string]any{}
	now, err := l.Pins(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out["now"] = now
	for i := from; i < to; i++ {
		pins, err := l.PinsAsOf(context.Background(), at(i))
		if err != nil {
			t.Fatal(err)
		}
		out[fmt.Sprint("as of ", i)] = pins
	}
	for _, r := range slices.Backward(allRuns(t, l)) {
		for what, counts := range map[string]bool{"last": true, "succeeded": r.Status != "failed", "changed": r.Status != "failed" && r.Status != "unchanged"} {
			name := fmt.Sprint(what, " ", r.Stage, r.Part)
			if _, known := out[name]; counts && !known {
				out[name] = r.RunID
			}
		}
	}
	return out
}
