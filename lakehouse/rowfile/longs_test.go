package rowfile_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// What is read of a row group is what was written to it, row by row; a null or a
// column that is not there is told, and no zero.
func TestReadLongs(t *testing.T) {
	s, table := objecttest.Open(t), schema.Named("activation.state")
	const n, group = 40_000, 16 << 10
	rows, at0 := make([]weir.DeliveryState, n), time.Unix(1e9, 0)
	for i := range rows {
		rows[i] = weir.DeliveryState{Activation: "a", ProfileID: "p", Sequence: int64(i), RowDigest: math.MaxInt64 - int64(i), DeliveredAt: at0}
	}
	rows[n-1].DeliveredAt = time.Time{} // null
	w, err := rowfile.NewTableWriter[weir.DeliveryState](t.Context(), s, table, "", rowfile.GroupRows(group))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	files, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for g := range 3 {
		got, whole, err := rowfile.ReadLongs(t.Context(), s, files[0], g, "row_digest", "sequence")
		if err != nil || !whole {
			t.Fatalf("group %d: whole %t, %v", g, whole, err)
		}
		for i := range got[0] {
			if got[0][i] != rows[at].RowDigest || got[1][i] != rows[at].Sequence {
				t.Fatalf("row %d is %d and %d", at, got[0][i], got[1][i])
			}
			at++
		}
		_, whole, err = rowfile.ReadLongs(t.Context(), s, files[0], g, "delivered_at")
		if err != nil || whole != (g < 2) {
			t.Errorf("group %d: delivered_at is whole %t, %v", g, whole, err)
		}
	}
	if at != n {
		t.Errorf("%d rows, not %d", at, n)
	}
	if _, whole, err := rowfile.ReadLongs(t.Context(), s, files[0], 0, "row_digest", "gone"); err != nil || whole {
		t.Errorf("a column that is not there: whole %t, %v", whole, err)
	}
	if _, _, err := rowfile.ReadLongs(t.Context(), s, files[0], 0, "profile_id"); err == nil {
		t.Error("texts are read as integers")
	}
}

// A file of integers has them, as one that is opened beside it tells.
func TestWriteLongs(t *testing.T) {
	s := objecttest.Open(t)
	path := filepath.Join(t.TempDir(), "x.parquet")
	a, b := []int64{1, -2, math.MinInt64}, []int64{4, 0, 6}
	if err := rowfile.WriteLongs(path, []string{"k", "r"}, a, b); err != nil {
		t.Fatal(err)
	}
	if err := rowfile.WriteLongs(path, []string{"k", "r"}, a, b); err == nil {
		t.Error("it is written over")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "x.parquet", bytes.NewReader(text), int64(len(text))); err != nil {
		t.Fatal(err)
	}
	got, whole, err := rowfile.ReadLongs(t.Context(), s, weir.DataFile{Path: "x.parquet", Bytes: int64(len(text))}, 0, "k", "r")
	if err != nil || !whole || !slices.Equal(got[0], a) || !slices.Equal(got[1], b) {
		t.Errorf("it has %v, whole %t, %v", got, whole, err)
	}
}
