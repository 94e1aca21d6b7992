package rowfile_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// customers is the table of the peers' benchmark, with what collect adds.
var customers = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "external_id", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "email", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "given_name", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "family_name", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "birth_date", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "city", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "active", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "balance", Type: &arrow.Decimal128Type{Precision: 12, Scale: 2}, Nullable: true},
	{Name: "visits", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "updated_at", Type: schema.UTC, Nullable: true},
	{Name: schema.RowID, Type: arrow.BinaryTypes.String},
	{Name: schema.CollectedAt, Type: schema.UTC, Nullable: true},
	{Name: schema.Origin, Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: schema.RowOp, Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

func customerRows(from, to int) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, customers)
	defer b.Release()
	text := func(i int, s string) { b.Field(i).(*array.StringBuilder).Append(s) }
	start := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	for i := from; i < to; i++ {
		random := uint64(i) * 0x9E3779B97F4A7C15
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		text(1, fmt.Sprintf("%08x-%04x-%04x-8000-%012x", random>>32, random>>16&0xffff, random&0xffff, random*31>>16))
		if i%17 == 0 {
			b.Field(2).AppendNull()
		} else {
			text(2, fmt.Sprintf("user%d@mail%d.example", i*7919%10000019, i%7))
		}
		text(3, []string{"Marie", "Sofía", "Jürgen", "Zoë"}[i%4])
		text(4, fmt.Sprintf("Lefèvre%d", i*13%997))
		if i%5 == 0 {
			b.Field(5).AppendNull()
		} else {
			b.Field(5).(*array.Date32Builder).Append(arrow.Date32(i * 37 % 25000))
		}
		text(6, fmt.Sprintf("city, %d", i*101%1500))
		b.Field(7).(*array.BooleanBuilder).Append(i%3 != 0)
		b.Field(8).(*array.Decimal128Builder).Append(decimal128.FromI64(int64(i * 7907 % 1000000)))
		b.Field(9).(*array.Int32Builder).Append(int32(i % 250))
		b.Field(10).(*array.TimestampBuilder).Append(arrow.Timestamp(start + int64(i*7919%94608000)*1e6))
		text(11, fmt.Sprintf("40ee537ed285710384aa9e5db7#%d", i))
		b.Field(12).(*array.TimestampBuilder).Append(arrow.Timestamp(start))
		text(13, fmt.Sprintf("customers.csv:%d", i+2))
		text(14, "upsert")
	}
	return b.NewRecordBatch()
}

func BenchmarkRawTable(b *testing.B) {
	s := objecttest.Open(b)
	table, err := schema.Raw("raw.crm__customers", customers)
	if err != nil {
		b.Fatal(err)
	}
	var batches []arrow.RecordBatch
	const rows, size = 512 << 10, 8 << 10
	for i := 0; i < rows; i += size {
		batches = append(batches, customerRows(i, i+size))
	}
	as := batches[0].Schema()
	b.ReportAllocs()
	var bytes int64
	for b.Loop() {
		w, err := rowfile.NewArrowWriter(b.Context(), s, table, as, "customers")
		if err != nil {
			b.Fatal(err)
		}
		for _, rec := range batches {
			if err := w.Write(rec); err != nil {
				b.Fatal(err)
			}
		}
		files, err := w.Close()
		if err != nil {
			b.Fatal(err)
		}
		bytes = files[0].Bytes
	}
	b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(bytes)/rows, "B/row")
}
