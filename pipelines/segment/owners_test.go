package segment

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
)

// TestToldOrShuffled: whether every process holds the identifiers or events are sent to
// where they are, the same files come of it, and the same counts.
func TestToldOrShuffled(t *testing.T) {
	s := objecttest.Open(t)
	w, params := newWorld(), testParams()
	told, _ := run(t, s, w, params, 4, 100, "told")
	defer func(rows int64) { toldRows = rows }(toldRows)
	toldRows = 0
	shuffled, _ := run(t, s, w, params, 4, 100, "shuffled")
	if len(told.Tables) == 0 || !reflect.DeepEqual(told.Tables, shuffled.Tables) {
		t.Errorf("told %+v\nshuffled %+v", told.Tables, shuffled.Tables)
	}
	if !reflect.DeepEqual(told.Counts, shuffled.Counts) || told.Counts["events_unowned"] == 0 {
		t.Errorf("told %v\nshuffled %v", told.Counts, shuffled.Counts)
	}
}

// TestBlocks: what is gathered for a partition is what a block of it opens to, and a
// damaged one is refused.
func TestBlocks(t *testing.T) {
	for _, n := range []int{70_000, 10, 1} { // more texts than two bytes count, and few
		g := newGathered(2)
		var want []timeline.Event
		for i := range n {
			e := timeline.Event{ID: fmt.Sprint("shop/e", i), Name: fmt.Sprint("name ", i%300), At: time.UnixMicro(int64(i)*1_000_003 - 5_000_000).UTC(),
				Properties: []string{"", ""}}
			if i == 5 {
				e.ID = "" // begins as no other
			}
			if i%3 > 0 {
				e.Properties[0] = fmt.Sprint("v", i)
			}
			row := g.row(e.At.UnixMicro(), g.texts.Names.Code(e.Name), e.ID)
			g.rows.Properties[0][row] = g.texts.Properties[0].Code(e.Properties[0])
			if i%7 > 0 { // others have no owner
				g.send(row, owner{1, uint32(i%900 + 1)})
				want = append(want, e)
			}
			if row == pendingEvents-1 {
				g.settled()
			}
		}
		p := &heldPart{rows: timeline.Block{Properties: make([][]uint32, 2)}}
		if len(want) > 0 {
			p = &g.parts[1]
		}
		row := blockRow{Events: int32(len(want)), Columns: slices.Clone(g.block(p))}
		var o opened
		d := &timeline.Dictionary{Properties: make([]timeline.Texts, 2)}
		for range 2 { // the second time into the memory of the first
			if err := o.open(&row, d); err != nil {
				t.Fatal(err)
			}
		}
		for i := range want {
			var got timeline.Event
			o.Event(i, d, &got)
			if !reflect.DeepEqual(got, want[i]) || o.Profiles[i] != int32(p.places[i]) {
				t.Fatalf("event %d: got %+v of %d, want %+v", i, got, o.Profiles[i], want[i])
			}
		}
		for cut := 0; cut < len(row.Columns); cut += 1 + len(row.Columns)/50 {
			if err := o.open(&blockRow{Events: row.Events, Columns: row.Columns[:cut]}, d); err == nil && cut > 0 {
				t.Fatalf("a block of %d of %d bytes was taken", cut, len(row.Columns))
			}
		}
	}
}
