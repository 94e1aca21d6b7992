package stages

import (
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// Texts that differ, in any part and wherever one ends and the next begins, have
// other digests, on both sides the same.
func TestDigestsTellRowsApart(t *testing.T) {
	keys, rows := map[int64]string{}, map[int64]bool{}
	texts := []string{"", "a", "b", "ab", "a\x00b"}
	for _, profile := range []string{"p", "pa", "pb"} {
		for _, key := range texts {
			for _, checksum := range texts[:4] {
				a := weir.AudienceRow{ProfileID: profile, Key: key, Checksum: checksum}.Digested()
				s := weir.DeliveryState{ProfileID: profile, DeliveredKey: key, Checksum: checksum}.Digested()
				if a.KeyDigest != s.KeyDigest || a.RowDigest != s.RowDigest {
					t.Errorf("%q, %q, %q: wanted has %d and %d, held %d and %d", profile, key, checksum, a.KeyDigest, a.RowDigest, s.KeyDigest, s.RowDigest)
				}
				if rows[a.RowDigest] || a.RowDigest == 0 {
					t.Errorf("%q, %q, %q: the digest of another row, or none: %d", profile, key, checksum, a.RowDigest)
				}
				if other, taken := keys[a.KeyDigest]; taken && other != key || a.KeyDigest == 0 {
					t.Errorf("the keys %q and %q have one digest", key, other)
				}
				rows[a.RowDigest], keys[a.KeyDigest] = true, key
			}
		}
	}
}

// What was held before rows had digests has them after the next delivery.
func TestHeldRowsGainDigests(t *testing.T) {
	v := newVillage(t)
	held := []weir.DeliveryState{{Activation: "news", ProfileID: "p1", DeliveredKey: "k1", Checksum: "c1", DeliveredAt: noon, Sequence: 1}, {Activation: "news", ProfileID: "p3", DeliveredKey: "k3", DeliveredAt: noon, Sequence: 1}}
	table, err := v.Lake.Ensure(t.Context(), schema.Named("activation.state"))
	if err != nil {
		t.Fatal(err)
	}
	old := written(t.Context(), v, table, "news", held)
	w, err := rowfile.NewTableWriter[weir.DeliveryState](t.Context(), v.Lake.Store(), table, "news")
	if err != nil {
		t.Fatal(err)
	}
	sent := weir.DeliveryState{Activation: "news", ProfileID: "p2", DeliveredKey: "k2", Checksum: "c2", DeliveredAt: noon, Sequence: 1}
	files, err := writeState(t.Context(), v.House, w, table, old, map[string]*weir.DeliveryState{"p2": &sent}, map[string]string{"k2": "p2"})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for row, err := range rowfile.Scan[weir.DeliveryState](t.Context(), v.Lake.Store(), table, files) {
		if err != nil {
			t.Fatal(err)
		}
		if row.RowDigest == 0 || row != row.Digested() {
			t.Errorf("%s has the digests %d and %d", row.ProfileID, row.KeyDigest, row.RowDigest)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d rows, not 3", n)
	}
}
