package files

import (
	"bytes"
	"fmt"
	"time"
	"unicode/utf8"
)

// Limits of nested data: how deep objects are flattened, and how many columns a
// file may grow to.
const (
	maxDepth   = 64
	maxColumns = 2000
)

// flat collects rows whose columns are found while reading (JSON, XML). A row is
// gathered first and appended whole, so that a bad one leaves nothing.
type flat struct {
	table
	declared map[string]string
	loc      *time.Location
	index    map[string]int
	hint     int // the column that follows the last one found: rows repeat their order

	pending []pendingValue
	inRow   []int // by column: 1 + its place in pending
	scratch []byte
}

type pendingValue struct {
	col        int
	start, end int // in scratch
	null       bool
	conflict   bool
}

func newFlat(o options, out *out) *flat {
	return &flat{table: table{out: out}, declared: o.types, loc: o.loc, index: map[string]int{}}
}

// begin starts a row.
func (f *flat) begin() {
	for _, v := range f.pending {
		f.inRow[v.col] = 0
	}
	f.pending, f.scratch, f.hint = f.pending[:0], f.scratch[:0], 0
}

// set gives the row's value at a path. Two values at one path ('a.b' as a key
// and nested) are a conflict, and neither is taken.
func (f *flat) set(path []byte, start int, null bool) error {
	i := f.hint
	if i >= len(f.names) || f.names[i] != string(path) {
		var ok bool
		if i, ok = f.index[string(path)]; !ok {
			var err error
			if i, err = f.grow(string(path)); err != nil {
				return err
			}
		}
	}
	f.hint = i + 1
	if at := f.inRow[i]; at > 0 {
		f.pending[at-1].conflict = true
		return nil
	}
	f.pending = append(f.pending, pendingValue{col: i, start: start, end: len(f.scratch), null: null})
	f.inRow[i] = len(f.pending)
	return nil
}

func (f *flat) grow(name string) (int, error) {
	if len(f.names) == maxColumns {
		return 0, fmt.Errorf("the file has more than %d different fields", maxColumns)
	}
	c, err := newColumn(f.declared[name], f.loc)
	if err != nil {
		return 0, err
	}
	nullsUpTo(c, f.rows())
	f.names, f.types, f.cols = append(f.names, name), append(f.types, f.declared[name]), append(f.cols, c)
	f.inRow = append(f.inRow, 0)
	f.index[name] = len(f.names) - 1
	return len(f.names) - 1, nil
}

// end appends the gathered row, which took so many bytes.
func (f *flat) end(line int64, size int) error {
	row := f.rows()
	for _, v := range f.pending {
		c, value := f.cols[v.col], f.scratch[v.start:v.end]
		nullsUpTo(c, row)
		reason := ""
		switch {
		case v.conflict:
			reason = "has two values in this row: a key with a dot and a nested one, or an attribute and an element"
		case v.null:
		case bytes.IndexByte(value, 0) >= 0:
			reason = "has a NUL character"
		case !utf8.Valid(value):
			reason = "is not valid UTF-8"
		case !c.add(value):
			reason = "is no " + f.types[v.col]
			if err := f.out.rejectValue(line, f.names[v.col], reason, value); err != nil {
				return err
			}
			continue // add has appended the null
		default:
			continue
		}
		c.null()
		if reason != "" {
			if err := f.out.rejectValue(line, f.names[v.col], reason, value); err != nil {
				return err
			}
		}
	}
	return f.rowDone(line, size)
}
