package segment

import (
	"fmt"
	"reflect"
	"testing"

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
	g := newGathered(2)
	const n = 70_000 // more texts than two bytes count
	for i := range n {
		g.owners = append(g.owners, owner{1, uint32(i%900 + 1)})
		g.rows.At = append(g.rows.At, int64(i)*1_000_003-5_000_000)
		g.rows.Names = append(g.rows.Names, g.texts.Names.Code(fmt.Sprint("name ", i%300)))
		g.ids = append(g.ids, fmt.Sprint("e", i)...)
		g.rows.IDEnds = append(g.rows.IDEnds, uint32(len(g.ids)))
		text := ""
		if i%3 > 0 {
			text = fmt.Sprint("v", i)
		}
		g.rows.Properties[0] = append(g.rows.Properties[0], g.texts.Properties[0].Code(text))
		g.rows.Properties[1] = append(g.rows.Properties[1], 0)
	}
	g.rows.IDs = string(g.ids)
	var odd []uint32
	for i := uint32(1); i < n; i += 2 {
		odd = append(odd, i)
	}
	for _, events := range [][]uint32{odd, odd[:10], nil} {
		row := blockRow{Events: int32(len(events)), Columns: g.block(events)}
		var o opened
		d := &timeline.Dictionary{Properties: make([]timeline.Texts, 2)}
		for range 2 { // the second time into the memory of the first
			if err := o.open(&row, d); err != nil {
				t.Fatal(err)
			}
		}
		for i, from := range events {
			var got, want timeline.Event
			o.Event(i, d, &got)
			g.rows.Event(int(from), &g.texts, &want)
			if !reflect.DeepEqual(got, want) || o.Profiles[i] != int32(g.owners[from].place) {
				t.Fatalf("event %d: got %+v of %d, want %+v", i, got, o.Profiles[i], want)
			}
		}
		for cut := 0; cut < len(row.Columns); cut += 1 + len(row.Columns)/50 {
			if err := o.open(&blockRow{Events: row.Events, Columns: row.Columns[:cut]}, d); err == nil && cut > 0 {
				t.Fatalf("a block of %d of %d bytes was taken", cut, len(row.Columns))
			}
		}
	}
}
