package conform

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// Fault is what is wrong with one row, or with one value of it; it holds no value.
type Fault struct {
	Row      int    // of the batch
	Field    string // key, where, birth_date
	Reason   string
	Withheld bool // the row would not go on
}

// Examine maps the rows of a batch as a run would and returns what that would
// quarantine; raw describes the batch's columns. Errors are of the mapping.
func Examine(m weir.Mapping, raw schema.Table, rows arrow.RecordBatch, now time.Time) ([]Fault, error) {
	s, err := newStream(0, StreamParams{Mapping: m}, raw, now, "")
	if err != nil {
		return nil, err
	}
	row := &batchRow{cells: cells(rows, s.columns, s.read, s.context.Location)}
	x := &mapper{stream: s, row: row}
	var out []Fault
	for row.row = 0; row.row < int(rows.NumRows()); row.row++ {
		x.context, x.faults = s.context, x.faults[:0]
		x.context.Phones = &x.phones
		x.version(int64(row.row))
		for _, f := range x.faults {
			out = append(out, Fault{Row: row.row, Field: f.Field, Reason: f.Reason, Withheld: f.Withheld})
		}
	}
	return out, nil
}
