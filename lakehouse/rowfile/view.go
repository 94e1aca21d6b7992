package rowfile

import (
	"context"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// View is a batch of rows that were read and not made into Go values yet: to look
// at a few columns before the rows that are wanted are made. It is valid until the
// next batch, and so are the strings that it gives.
type View struct{ rec arrow.RecordBatch }

// Rows is how many rows the batch has.
func (v *View) Rows() int { return int(v.rec.NumRows()) }

// Text gives a column's values as text, by row; "" for null. A column that the file
// lacks is null everywhere.
func (v *View) Text(column string) (func(row int) string, error) {
	a := v.column(column)
	if a == nil {
		return func(int) string { return "" }, nil
	}
	text, err := lent(a)
	if err != nil {
		return nil, weir.Errorf(weir.CodeOf(err), "column %s: %w", column, err)
	}
	if a.NullN() == 0 {
		return text, nil
	}
	return func(row int) string {
		if a.IsNull(row) {
			return ""
		}
		return text(row)
	}, nil
}

// First gives, of a column that maps texts to lists of texts, the first value
// under a key and how many there are, by row.
func (v *View) First(column string) (func(row int, key string) (first string, values int), error) {
	c, err := v.listsByName(column)
	if c == nil {
		return func(int, string) (string, int) { return "", 0 }, err
	}
	return func(row int, name string) (first string, values int) {
		if c.IsNull(row) {
			return "", 0
		}
		from, to := c.ValueOffsets(row)
		for j := int(from); j < int(to); j++ {
			if c.lists.IsNull(j) || c.key(j) != name {
				continue
			}
			start, end := c.lists.ValueOffsets(j)
			for k := int(start); k < int(end); k++ {
				if c.texts.IsNull(k) {
					continue
				}
				if values++; values == 1 {
					first = c.text(k)
				}
			}
		}
		return first, values
	}, nil
}

// Columns names the batch's columns.
func (v *View) Columns() []string {
	out := make([]string, v.rec.NumCols())
	for i := range out {
		out[i] = v.rec.ColumnName(i)
	}
	return out
}

// List is an entry of a column that maps texts to lists of texts.
type List struct {
	Name   string
	Values []string // nulls are left out
}

// Lists gives the entries of such a column, by row, in the order of the file. It
// appends them to a list whose room, that of its entries' values too, is used again.
func (v *View) Lists(column string) (func(row int, to []List) []List, error) {
	c, err := v.listsByName(column)
	if c == nil {
		return func(_ int, to []List) []List { return to }, err
	}
	return func(row int, to []List) []List {
		if c.IsNull(row) {
			return to
		}
		from, end := c.ValueOffsets(row)
		for j := int(from); j < int(end); j++ {
			l := List{Name: c.key(j)}
			if n := len(to); n < cap(to) {
				l.Values = to[:n+1][n].Values[:0]
			}
			if !c.lists.IsNull(j) {
				first, last := c.lists.ValueOffsets(j)
				for k := int(first); k < int(last); k++ {
					if !c.texts.IsNull(k) {
						l.Values = append(l.Values, c.text(k))
					}
				}
			}
			to = append(to, l)
		}
		return to
	}, nil
}

// listsByName is a column that maps texts to lists of texts.
type listsByName struct {
	*array.Map
	lists *array.List
	texts arrow.Array
	key   func(i int) string
	text  func(i int) string
}

// listsByName reads a column; nil: the file has none.
func (v *View) listsByName(column string) (*listsByName, error) {
	a := v.column(column)
	if a == nil {
		return nil, nil
	}
	failed := weir.Errorf(weir.Internal, "column %s: a file's %s can't be read as lists by name", column, a.DataType())
	c := &listsByName{}
	var ok bool
	if c.Map, ok = a.(*array.Map); !ok {
		return nil, failed
	}
	if c.lists, ok = c.Items().(*array.List); !ok {
		return nil, failed
	}
	c.texts = c.lists.ListValues()
	var err error
	if c.key, err = lent(c.Keys()); err != nil {
		return nil, failed
	}
	if c.text, err = lent(c.texts); err != nil {
		return nil, failed
	}
	return c, nil
}

func (v *View) column(name string) arrow.Array {
	at := v.rec.Schema().FieldIndices(name)
	if len(at) == 0 {
		return nil
	}
	return v.rec.Column(at[0])
}

// lent is textOf with the batch's own memory.
func lent(a arrow.Array) (func(i int) string, error) {
	switch a := a.(type) {
	case *array.String:
		return a.Value, nil
	case *array.LargeString:
		return a.Value, nil
	}
	return textOf(a, nil)
}

// Choose is Scan (of one row group, where group is at least 0) of some rows: choose
// looks at each batch and sets which of its rows are wanted. Only the columns that
// want names are read; nil: all. A row's maps are the caller's until the next row.
func Choose[T any](ctx context.Context, s *object.Store, t schema.Table, files []weir.DataFile, group int, want func(column string) bool, choose func(v *View, chosen []bool) error) iter.Seq2[T, error] {
	var groups []int
	if group >= 0 {
		groups = []int{group}
	}
	return scan[T](ctx, s, t, files, groups, want, choose)
}
