package sql_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
)

func stateRow(i int) weir.DeliveryState {
	s := weir.DeliveryState{Activation: "news", ProfileID: fmt.Sprintf("p%06d", i), DeliveredKey: strings.Repeat("k", i%30), Sequence: int64(i) << 33,
		DeliveredAt: time.UnixMicro(int64(i)).UTC()}
	if i%7 == 0 {
		s.DeliveredAt = time.Time{} // null
	}
	return s
}

// Files in any order, and overlapping ones, give the rows in order; short and
// long texts, large numbers and nulls come through.
func TestSortedStreams(t *testing.T) {
	s := objecttest.Open(t)
	table := schema.Named("activation.state")
	in, err := sql.OpenInternal(t.Context(), sql.Options{Store: s, TempDir: t.TempDir(), MemoryLimit: 256 << 20, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	const n = 9_000
	for what, cut := range map[string]func(i int) int{
		"one file": func(int) int { return 0 }, "ranges backwards": func(i int) int { return 2 - i*3/n }, "overlapping": func(i int) int { return i % 3 }} {
		parts := make([][]any, 3)
		for i := range n {
			parts[cut(i)] = append(parts[cut(i)], stateRow(i))
		}
		var files []weir.DataFile
		for _, p := range parts {
			if len(p) > 0 {
				files = append(files, write(t, s, table, states(p)...)...)
			}
		}
		rows, err := in.Sorted(t.Context(), table, files, []string{"profile_id", "delivered_key", "sequence", "delivered_at"}, false)
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for ; rows.Next(); i++ {
			w := stateRow(i)
			at := int64(0)
			if !w.DeliveredAt.IsZero() {
				at = w.DeliveredAt.UnixMicro()
			}
			got := []any{rows.Text(0), rows.Text(1), rows.Long(2), rows.Long(3)}
			if d := cmp.Diff([]any{w.ProfileID, w.DeliveredKey, w.Sequence, at}, got); d != "" {
				t.Fatalf("%s: row %d: %s", what, i, d)
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || i != n {
			t.Fatalf("%s: %d rows, %v", what, i, err)
		}
	}
}

func states(rows []any) []weir.DeliveryState {
	out := make([]weir.DeliveryState, len(rows))
	for i, r := range rows {
		out[i] = r.(weir.DeliveryState)
	}
	return out
}

// A stream of no files is empty; one that is left early, whose context ends or
// whose file is damaged, ends without a leak and says why.
func TestStreamsEnd(t *testing.T) {
	local := localStore(t)
	table := schema.Named("activation.state")
	in, err := sql.OpenInternal(t.Context(), sql.Options{Store: local.store, TempDir: t.TempDir(), MemoryLimit: 256 << 20, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	open := func(ctx context.Context, files []weir.DataFile) *sql.Stream {
		rows, err := in.Sorted(ctx, table, files, []string{"profile_id", "delivered_key"}, false)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	empty := open(t.Context(), nil)
	if empty.Next() || empty.Err() != nil {
		t.Errorf("no files: %v", empty.Err())
	}
	all := make([]any, 200_000)
	for i := range all {
		all[i] = stateRow(i)
	}
	files := write(t, local.store, table, states(all)...)
	early := open(t.Context(), files)
	if !early.Next() || early.Text(0) != "p000000" {
		t.Errorf("the first row: %v", early.Err())
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := open(ctx, files)
	cancel()
	for ended.Next() { //nolint:revive // until it notices
	}
	if !errors.Is(ended.Err(), context.Canceled) {
		t.Errorf("after its context: %v", ended.Err())
	}
	path := local.dir + "/lake/shop/" + files[0].Path
	bytes, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	footer := int(binary.LittleEndian.Uint32(bytes[len(bytes)-8:]))
	clear(bytes[4 : len(bytes)-8-footer]) // all pages of all columns
	if err := os.WriteFile(path, bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	streams := []*sql.Stream{empty, early, ended}
	// Another session: the first has read the file, which never changes, already.
	fresh, err := sql.OpenInternal(t.Context(), sql.Options{Store: local.store, TempDir: t.TempDir(), MemoryLimit: 256 << 20, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	damaged, err := fresh.Sorted(t.Context(), table, files, []string{"profile_id", "delivered_key"}, false)
	if err == nil { // it was not noticed at once
		for damaged.Next() { //nolint:revive // until it is
		}
		err = damaged.Err()
		streams = append(streams, damaged)
	}
	if err == nil {
		t.Error("a damaged file was read to its end")
	}
	for _, s := range streams {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := in.Sorted(t.Context(), table, files, []string{"absent"}, false); weir.CodeOf(err) != weir.Internal {
		t.Errorf("a column that is not there: %v", err)
	}
}
