package lakehouse

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir/lakehouse/rowfile"
)

// Any history of commits, of which some are never pinned, with maintenance in
// between, leaves the rows that the pinned ones alone would have left.
func TestCommitsOfUnfinishedRunsAreTakenBack(t *testing.T) {
	ctx := context.Background()
	scopes := []string{"", "a", "b"}
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		l := openLake(t, testConfig(t))
		tab := ensure(t, l, links)
		want := map[string][]string{} // what readers see, by scope
		pinned := int64(0)
		for n := range 30 {
			if r.IntN(5) == 0 {
				if _, err := l.Compact(ctx, tab.Name, false); err != nil {
					t.Fatal(err)
				}
			}
			next := maps.Clone(want)
			scope, prefix, count := scopes[r.IntN(len(scopes))], fmt.Sprintf("%d-", n), r.IntN(3)
			c := replaceIn(tab.Name, fmt.Sprint("c", n), scope)
			if c.Scopes[0].Replace = r.IntN(3) == 0; c.Scopes[0].Replace {
				next[scope] = nil
			}
			if count > 0 {
				c.Scopes[0].Files = append(c.Scopes[0].Files, put(t, l, tab, scope, prefix, count))
			}
			for i := range count {
				next[scope] = append(slices.Clone(next[scope]), fmt.Sprint(prefix, i))
			}
			c.Since = &pinned
			s := commit(t, l, c)
			if r.IntN(2) == 0 {
				continue // the run dies here
			}
			want, pinned = next, s.ID
			record(t, l, fmt.Sprint("r", n), n, "done", map[string]int64{tab.Name: pinned})
			all := slices.Sorted(func(yield func(string) bool) {
				for _, ids := range want {
					for _, id := range ids {
						if !yield(id) {
							return
						}
					}
				}
			})
			if d := cmp.Diff(all, recordIDs(t, l, tab.Name, pinned)); d != "" {
				t.Fatalf("seed %d, commit %d (-want +got):\n%s", seed, n, d)
			}
		}
	}
}

func recordIDs(t *testing.T, l *Lake, name string, snapshot int64) []string {
	t.Helper()
	files, err := l.Files(context.Background(), name, snapshot)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		ID string `parquet:"record_id"`
	}
	var out []string
	for r, err := range rowfile.Scan[row](context.Background(), l.Store(), links, files) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r.ID)
	}
	slices.Sort(out)
	return out
}

// A compaction that no run has pinned yet is not undone by the next commit.
func TestCompactionStays(t *testing.T) {
	ctx := context.Background()
	l := openLake(t, testConfig(t))
	tab := ensure(t, l, links)
	pinned := int64(0)
	for n := range 5 {
		pinned = commit(t, l, appendTo(tab.Name, fmt.Sprint(n), put(t, l, tab, "", fmt.Sprint(n, "-"), 2))).ID
	}
	if _, err := l.Compact(ctx, tab.Name, false); err != nil {
		t.Fatal(err)
	}
	c := appendTo(tab.Name, "next", put(t, l, tab, "", "next", 1))
	c.Since = &pinned
	files, err := l.Files(ctx, tab.Name, commit(t, l, c).ID)
	if err != nil || len(files) != 2 {
		t.Errorf("after it there are %d files (%v), not the merged one and the new one", len(files), err)
	}
}
