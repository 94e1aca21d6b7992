package sql_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
)

// Bounds ascend, cut at row groups and leave at least so many rows in each part,
// in whatever order the files are named; the parts together have every row once.
func TestRanges(t *testing.T) {
	s := objecttest.Open(t)
	table := schema.Named("activation.state")
	in, err := sql.OpenInternal(t.Context(), sql.Options{Store: s, TempDir: t.TempDir(), MemoryLimit: 256 << 20, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	const n = 9_000
	for what, cut := range map[string]struct {
		part   func(i int) int
		bounds []string // with at least 2,500 rows in a part
	}{
		"one file":         {func(int) int { return 0 }, nil},
		"ranges backwards": {func(i int) int { return 2 - i*3/n }, []string{"p003000", "p006000"}},
		"overlapping":      {func(i int) int { return i % 3 }, []string{"p000001", "p000002"}},
	} {
		parts := make([][]weir.DeliveryState, 3)
		for i := range n {
			parts[cut.part(i)] = append(parts[cut.part(i)], weir.DeliveryState{Activation: "news", ProfileID: fmt.Sprintf("p%06d", i), Sequence: int64(i)})
		}
		var files []weir.DataFile
		for _, p := range parts {
			if len(p) > 0 {
				files = append(files, write(t, s, table, p...)...)
			}
		}
		bounds, err := in.Ranges(t.Context(), files, "profile_id", 2_500)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(bounds, cut.bounds) {
			t.Errorf("%s: bounds %q, want %q", what, bounds, cut.bounds)
		}
		if none, err := in.Ranges(t.Context(), files, "profile_id", n); err != nil || len(none) > 0 {
			t.Errorf("%s: bounds %q (%v) where all rows are one part", what, none, err)
		}
	}
	if none, err := in.Ranges(t.Context(), nil, "profile_id", 1); err != nil || len(none) > 0 {
		t.Errorf("bounds %q (%v) of no file", none, err)
	}
}
