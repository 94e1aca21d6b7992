package segment

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/weir-cdp/weir"
)

// columnOf returns a batch's column as an array type.
func columnOf[A arrow.Array](rec arrow.RecordBatch, name string) (A, error) {
	var none A
	at := rec.Schema().FieldIndices(name)
	if len(at) == 0 {
		return none, weir.Errorf(weir.Internal, "a file has no column %s", name)
	}
	a, ok := rec.Column(at[0]).(A)
	if !ok {
		return none, weir.Errorf(weir.Internal, "column %s of a file is a %s", name, rec.Column(at[0]).DataType())
	}
	return a, nil
}

func textColumn(rec arrow.RecordBatch, name string) (array.StringLike, error) {
	return columnOf[array.StringLike](rec, name)
}

// textMap is a column that maps texts to texts, or (with lists) to lists of texts.
type textMap struct {
	maps  *array.Map
	keys  array.StringLike
	items array.StringLike
	lists *array.List // nil: one item a key
}

func mapColumn(rec arrow.RecordBatch, name string) (textMap, error) {
	m, err := columnOf[*array.Map](rec, name)
	if err != nil {
		return textMap{}, err
	}
	out := textMap{maps: m}
	items := m.Items()
	if l, ok := items.(*array.List); ok {
		out.lists, items = l, l.ListValues()
	}
	var ok, ok2 bool
	out.keys, ok = m.Keys().(array.StringLike)
	out.items, ok2 = items.(array.StringLike)
	if !ok || !ok2 {
		return out, weir.Errorf(weir.Internal, "column %s of a file is a %s", name, m.DataType())
	}
	return out, nil
}

// entries are where a row's keys lie.
func (m *textMap) entries(row int) (from, to int) {
	if m.maps.IsNull(row) {
		return 0, 0
	}
	start, end := m.maps.ValueOffsets(row)
	return int(start), int(end)
}

// item is the text of an entry; "" where there is none.
func (m *textMap) item(entry int) string {
	if m.items.IsNull(entry) {
		return ""
	}
	return m.items.Value(entry)
}

// span are where the items of an entry with a list lie.
func (m *textMap) span(entry int) (from, to int) {
	if m.lists.IsNull(entry) {
		return 0, 0
	}
	start, end := m.lists.ValueOffsets(entry)
	return int(start), int(end)
}
