package ledger

import (
	"encoding/binary"
	"time"
)

// canonical builds bytes that are one to one with a list of values: each text is
// preceded by its length.
type canonical []byte

func (c *canonical) text(values ...string) {
	for _, s := range values {
		*c = binary.AppendUvarint(*c, uint64(len(s)))
		*c = append(*c, s...)
	}
}

func (c *canonical) number(values ...int64) {
	for _, n := range values {
		*c = binary.BigEndian.AppendUint64(*c, uint64(n))
	}
}

func (c *canonical) flag(b bool) {
	if b {
		*c = append(*c, 1)
	} else {
		*c = append(*c, 0)
	}
}

// time appends instants as tables hold them: microseconds, and whether there is one.
func (c *canonical) time(values ...time.Time) {
	for _, t := range values {
		c.flag(!t.IsZero())
		if t.IsZero() {
			c.number(0)
		} else {
			c.number(t.UnixMicro())
		}
	}
}
