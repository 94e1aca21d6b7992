package e2e

import (
	"os"
	"reflect"
	"testing"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// Orders that come with a later file concern those who made them alone: the other
// profiles are not computed again, and traits and members are those of a project that
// had all orders from the start.
func TestNewEventsComputeOnlyWhomTheyConcern(t *testing.T) {
	t.Parallel()
	const later = "2026-06-30T19:00:00Z"
	shop := func() *weirtest.Project {
		p := weirtest.Shop(t, "300")
		p.Receive(t)
		shuffle(t, p, "data/orders.ndjson", "\n", 0, 8)
		p.Replace(t, "sources/shop.yaml", "path: orders.ndjson", "path: orders*.ndjson")
		return p
	}
	whole, grown := shop(), shop()
	whole.Run(t, weirtest.Partial, "--now", later)

	const name = "data/orders-h.ndjson"
	held := grown.Read(t, name)
	if err := os.Remove(grown.Path(name)); err != nil {
		t.Fatal(err)
	}
	grown.Run(t, weirtest.Partial, "--now", now)
	grown.Write(t, name, held)
	var s weirtest.Refresh
	grown.Weir(t, "run", "--json", "--now", later).JSON(t, &s)
	counts := s.Find(t, "segment", "").Counts
	if counts["increment"] != 1 || counts["computed"] == 0 || counts["kept"] <= counts["computed"] {
		t.Errorf("segment did not go on from what was there: %v", counts)
	}

	whole.Dev(t)
	grown.Dev(t)
	const traits, members = "select * from core.traits order by all", "select segment, profile_id from segment.memberships order by all"
	for _, sql := range []string{traits, members} {
		want, got := whole.Query(t, sql), grown.Query(t, sql)
		if len(want) == 0 || !reflect.DeepEqual(want, got) {
			t.Errorf("%s: %d rows, want %d, or others", sql, len(got), len(want))
		}
	}
}
