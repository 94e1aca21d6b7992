package stages

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse/schema"
	conformer "github.com/weir-cdp/weir/pipelines/conform"
)

// rowCheck maps a stream's first rows as a run would, and notes what would be
// quarantined, and keys that come twice.
type rowCheck struct {
	mapping weir.Mapping
	now     time.Time // zero: rows are not mapped
	rows    int64
	faults  []mishap
	again   mishap
	seen    map[string]bool
}

// mishap counts one kind of mistake.
type mishap struct {
	field, reason, first string // first: where
	rows                 int64
}

// look takes up the rows of a batch. A mapping that does not fit the columns is told
// of by who compares them.
func (k *rowCheck) look(b connectors.Batch) {
	k.rows += b.Rows.NumRows()
	where := func(i int) string {
		if b.Lines == nil {
			return b.Origin
		}
		return fmt.Sprintf("%s:%d", b.Origin, b.Lines[i])
	}
	gone := func(i int) bool { return b.Deleted != nil && b.Deleted[i] }
	k.keys(b.Rows, gone, where)
	table, err := schema.Raw(schema.RawName("doctor", "rows"), b.Rows.Schema())
	if err != nil || k.now.IsZero() {
		return
	}
	faults, err := conformer.Examine(k.mapping, table, b.Rows, k.now)
	if err != nil {
		return
	}
	for _, f := range faults {
		if gone(f.Row) {
			continue
		}
		at := slices.IndexFunc(k.faults, func(t mishap) bool { return t.field == f.Field })
		if at < 0 {
			at = len(k.faults)
			k.faults = append(k.faults, mishap{field: f.Field, reason: f.Reason, first: where(f.Row)})
		}
		k.faults[at].rows++
	}
}

// keys counts the rows whose key an earlier one has. Where the mapping leaves rows out,
// only a run knows which keys matter.
func (k *rowCheck) keys(rows arrow.RecordBatch, gone func(int) bool, where func(int) string) {
	var columns []arrow.Array
	for _, name := range k.mapping.Key {
		if at := rows.Schema().FieldIndices(name); len(at) == 1 {
			columns = append(columns, rows.Column(at[0]))
		}
	}
	if len(columns) == 0 || len(columns) != len(k.mapping.Key) || k.mapping.Where != "" {
		return
	}
	if k.seen == nil {
		k.seen = map[string]bool{}
	}
	for i := range int(rows.NumRows()) {
		var key strings.Builder
		empty := gone(i)
		for _, c := range columns {
			empty = empty || c.IsNull(i) || c.ValueStr(i) == ""
			fmt.Fprintf(&key, "%q,", c.ValueStr(i))
		}
		if empty {
			continue
		}
		if k.seen[key.String()] {
			if k.again.rows++; k.again.rows == 1 {
				k.again.first = where(i)
			}
		}
		k.seen[key.String()] = true
	}
}

// findings tells of what would be quarantined, and of keys that come twice.
func (k *rowCheck) findings(part string, place func(key string) string) []Finding {
	var out []Finding
	for _, t := range k.faults {
		at := place("key")
		if t.field != "key" {
			at = place("map")
		}
		out = append(out, Finding{part, Warn, fmt.Sprintf("%s of %d of the first %d rows can't be used, the first at %s: %s", t.field, t.rows, k.rows, t.first, t.reason), at,
			"it would go to ops.quarantine; mend it at the source, or map it by an expression"})
	}
	if k.again.rows > 0 {
		out = append(out, Finding{part, Warn, fmt.Sprintf("%d of the first %d rows have the %s of an earlier row, the first at %s", k.again.rows, k.rows, strings.Join(k.mapping.Key, ", "), k.again.first), place("key"),
			"of rows with one key the last counts; if they are different things, add a column to the key"})
	}
	return out
}
