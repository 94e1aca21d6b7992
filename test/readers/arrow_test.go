package readers_test

import (
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// putArrow writes one row of a raw table as collect does.
func putArrow(l lake, tab schema.Table, id string, quantity int, tags bool) []weir.DataFile {
	l.t.Helper()
	fields, err := tab.Arrow()
	if err != nil {
		l.t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, fields)
	defer b.Release()
	b.Field(0).(*array.StringBuilder).Append(id)
	switch q := b.Field(1).(type) {
	case *array.Int32Builder:
		q.Append(int32(quantity))
	case *array.Int64Builder:
		q.Append(int64(quantity))
	}
	if tags {
		list := b.Field(2).(*array.ListBuilder)
		list.Append(true)
		list.ValueBuilder().(*array.StringBuilder).AppendValues([]string{"a", id}, nil)
	}
	rec := b.NewRecordBatch()
	defer rec.Release()
	w, err := rowfile.NewArrowWriter(l.ctx, l.Store(), tab, fields, "")
	if err == nil {
		err = w.Write(rec)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	files, err := w.Close()
	if err != nil {
		l.t.Fatal(err)
	}
	return files
}
