package stages

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// keyCheck looks at the keys of a stream's first rows.
type keyCheck struct {
	key         []string
	rows        int64
	lack, again int64
	firstLack   string // where
	firstAgain  string
	seen        map[string]bool
}

// keysOf makes the check of a mapping; where the mapping leaves rows out, only a run
// knows which keys matter.
func keysOf(m weir.Mapping) keyCheck {
	if m.Where != "" {
		return keyCheck{}
	}
	return keyCheck{key: m.Key, seen: map[string]bool{}}
}

// look takes up the rows of a batch; a batch without the key's columns is told of by
// who compares the columns.
func (k *keyCheck) look(b connectors.Batch) {
	var columns []arrow.Array
	for _, name := range k.key {
		at := b.Rows.Schema().FieldIndices(name)
		if len(at) != 1 {
			return
		}
		columns = append(columns, b.Rows.Column(at[0]))
	}
	if len(columns) == 0 {
		return
	}
	for i := range int(b.Rows.NumRows()) {
		if b.Deleted != nil && b.Deleted[i] {
			continue
		}
		k.row(columns, i, func() string {
			if b.Lines == nil {
				return b.Origin
			}
			return fmt.Sprintf("%s:%d", b.Origin, b.Lines[i])
		})
	}
}

func (k *keyCheck) row(columns []arrow.Array, i int, where func() string) {
	k.rows++
	var whole strings.Builder
	for _, c := range columns {
		if c.IsNull(i) || c.ValueStr(i) == "" {
			if k.lack++; k.lack == 1 {
				k.firstLack = where()
			}
			return
		}
		fmt.Fprintf(&whole, "%q,", c.ValueStr(i))
	}
	if k.seen[whole.String()] {
		if k.again++; k.again == 1 {
			k.firstAgain = where()
		}
	}
	k.seen[whole.String()] = true
}

// findings tells of rows without a key, and of keys that come twice.
func (k *keyCheck) findings(part, at string) []Finding {
	var out []Finding
	name := strings.Join(k.key, ", ")
	if k.lack > 0 {
		out = append(out, Finding{part, Warn, fmt.Sprintf("%d of the first %d rows have no %s, which is the key, the first at %s", k.lack, k.rows, name, k.firstLack), at,
			"they would go to ops.quarantine; name as key what every row has"})
	}
	if k.again > 0 {
		out = append(out, Finding{part, Warn, fmt.Sprintf("%d of the first %d rows have the %s of an earlier row, the first at %s", k.again, k.rows, name, k.firstAgain), at,
			"of rows with one key the last counts; if they are different things, add a column to the key"})
	}
	return out
}
