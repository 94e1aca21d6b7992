package conform

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/weir-cdp/weir/lakehouse/schema"
)

// BenchmarkMap maps contact rows, one an iteration: three identifiers, five
// attributes, one of them by CEL.
func BenchmarkMap(b *testing.B) {
	raw := schema.Table{Name: "raw.crm__contacts", Columns: contactColumns}.WithIDs()
	as, err := raw.Arrow()
	if err != nil {
		b.Fatal(err)
	}
	var lines []string
	for i := range 1000 {
		lines = append(lines, fmt.Sprintf(`{"id": "%d", "mail": "Person%d@Example.org", "mobile": "06 12 34 %02d %02d", "first": "Zoë", "dob": "%d/02/1980", "land": "France", "zip": "01000", "vip": "x", "updated": "2026-01-05 10:00:00"}`,
			i, i, i%90+10, i%80+10, i%28+1))
	}
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, as, strings.NewReader("["+strings.Join(lines, ",")+"]"))
	if err != nil {
		b.Fatal(err)
	}
	s, err := newStream(0, StreamParams{Mapping: contacts(), RawTable: raw.Name}, raw, now, "")
	if err != nil {
		b.Fatal(err)
	}
	row := &batchRow{cells: cells(batch, s.columns, s.read, s.context.Location)}
	m := &mapper{stream: s, row: row}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		row.row, m.context, m.faults = i%1000, s.context, m.faults[:0]
		if v, ok := m.version(int64(i)); !ok || v.State != kept || len(m.faults) > 0 {
			b.Fatal(v, m.faults)
		}
	}
}
