package rowfile_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

var sourceSchema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int16, Nullable: true},
	{Name: "price", Type: &arrow.Decimal128Type{Precision: 8, Scale: 2}, Nullable: true},
	{Name: "at", Type: &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "Europe/Paris"}, Nullable: true},
	{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.LargeString), Nullable: true},
	{Name: "code", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, Nullable: true},
	{Name: "clock", Type: arrow.FixedWidthTypes.Time64us, Nullable: true},
	{Name: "shape", Type: arrow.StructOf(arrow.Field{Name: "w", Type: arrow.PrimitiveTypes.Int32, Nullable: true}), Nullable: true},
	{Name: "_weir_row_id", Type: arrow.BinaryTypes.String},
}, nil)

func batch(t *testing.T, from, to int) arrow.RecordBatch {
	t.Helper()
	var rows []string
	for i := from; i < to; i++ {
		rows = append(rows, fmt.Sprintf(`{"id":%d,"price":"%d.25","at":"2026-01-02T03:04:05.123456789Z","tags":["a","t%d"],"code":"c%d","clock":"01:02:03","shape":{"w":%d},"_weir_row_id":"%d"}`,
			i%1000, i, i%3, i%5, i, i))
	}
	if from == 0 {
		rows[0] = `{"_weir_row_id":"0"}`
	}
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, sourceSchema, strings.NewReader("["+strings.Join(rows, ",")+"]"))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func writeArrow(t *testing.T, s *object.Store, table schema.Table, total, size int) []weir.DataFile {
	t.Helper()
	w, err := rowfile.NewArrowWriter(t.Context(), s, table, sourceSchema, "contacts")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < total; i += size {
		rec := batch(t, i, min(i+size, total))
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
		rec.Release()
	}
	files, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestRawRowsConvertAndKeepTheirNames(t *testing.T) {
	s := objecttest.Open(t)
	table, err := schema.Raw("raw.shop__orders", sourceSchema)
	if err != nil {
		t.Fatal(err)
	}
	table = table.WithIDs()
	const total = 20000
	files := writeArrow(t, s, table, total, 700)
	if again := writeArrow(t, s, table, total, 9001); !cmp.Equal(files, again) {
		t.Fatalf("other batches gave other files: %v and %v", files, again)
	}
	n := 0
	for rec, err := range rowfile.ScanArrow(t.Context(), s, files, nil) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			if n+i > 1 {
				break
			}
			b, err := rec.NewSlice(int64(i), int64(i+1)).MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			var got []map[string]any
			if err := json.Unmarshal(b, &got); err != nil {
				t.Fatal(err)
			}
			want := []map[string]any{{"_weir_row_id": "0", "_weir_collected_at": nil, "_weir_origin": nil, "_weir_op": nil, "id": nil, "price": nil, "at": nil,
				"tags": nil, "code": nil, "clock": nil, "shape": nil},
				{"_weir_row_id": "1", "_weir_collected_at": nil, "_weir_origin": nil, "_weir_op": nil, "id": 1.0, "price": "1.25", "at": "2026-01-02T03:04:05.123456Z",
					"tags": []any{"a", "t1"}, "code": "c1", "clock": "01:02:03.000000", "shape": `{"w":1}`}}[n+i]
			if d := cmp.Diff([]map[string]any{want}, got); d != "" {
				t.Fatal(d)
			}
		}
		n += int(rec.NumRows())
	}
	if n != total || files[0].Rows != total {
		t.Fatal(n, files)
	}
	for rec, err := range rowfile.ScanArrow(t.Context(), s, files, []string{"code", "no_such"}) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.NumCols() != 1 || rec.ColumnName(0) != "code" {
			t.Fatal(rec.Schema())
		}
	}
	groups, err := rowfile.Groups(t.Context(), s, files[0])
	if err != nil || len(groups) != 1 || groups[0] != files[0].Rows {
		t.Fatal(groups, err)
	}
}

func TestArrowWriterRefusesWhatTheTableCantHold(t *testing.T) {
	s := objecttest.Open(t)
	table, err := schema.Raw("raw.shop__orders", sourceSchema)
	if err != nil {
		t.Fatal(err)
	}
	more := arrow.NewSchema(append(sourceSchema.Fields(), arrow.Field{Name: "extra", Type: arrow.BinaryTypes.String}), nil)
	if _, err := rowfile.NewArrowWriter(t.Context(), s, table.WithIDs(), more, ""); err == nil || !strings.Contains(err.Error(), "extra") {
		t.Fatal(err)
	}
	w, err := rowfile.NewArrowWriter(t.Context(), s, table.WithIDs(), sourceSchema, "")
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema(sourceSchema.Fields()[:1], nil), strings.NewReader(`[{"id":1}]`))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(other); err == nil {
		t.Fatal("a batch of another schema passed")
	}
	b := array.NewStringBuilder(memory.DefaultAllocator)
	b.Append("\xff")
	latin := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "_weir_row_id", Type: arrow.BinaryTypes.String}}, nil), []arrow.Array{b.NewArray()}, 1)
	w, err = rowfile.NewArrowWriter(t.Context(), s, table.WithIDs(), latin.Schema(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(latin); weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "UTF-8") {
		t.Fatal(err)
	}
	narrow := table.WithIDs()
	narrow.Columns[0].Type = schema.Date
	w, err = rowfile.NewArrowWriter(t.Context(), s, narrow, sourceSchema, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(batch(t, 1, 3)); weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "column id") {
		t.Fatal(err)
	}
}
