package files

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// parquetEncoder writes rows with types: a field whose values are of several
// kinds is text.
type parquetEncoder struct {
	w       *pqarrow.FileWriter
	builder *array.RecordBuilder
	names   []string
	rows    int
}

func newParquetEncoder(w io.Writer, s shape) (encoder, error) {
	fields := []arrow.Field{{Name: "_op", Type: arrow.BinaryTypes.String}, {Name: "_key", Type: arrow.BinaryTypes.String}}
	names := sortedNames(s)
	for _, n := range names {
		fields = append(fields, arrow.Field{Name: n, Type: s[n].arrow(), Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	fw, err := pqarrow.NewFileWriter(schema, w, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd),
		parquet.WithMaxRowGroupLength(256<<10)), pqarrow.DefaultWriterProps())
	if err != nil {
		return nil, fmt.Errorf("parquet: %w", err)
	}
	return &parquetEncoder{w: fw, builder: array.NewRecordBuilder(memory.DefaultAllocator, schema), names: names}, nil
}

func (x *fieldShape) arrow() arrow.DataType {
	switch x.one() {
	case kindInt:
		return arrow.PrimitiveTypes.Int64
	case kindDecimal:
		return &arrow.Decimal128Type{Precision: int32(max(x.Whole+x.Scale, 1)), Scale: int32(x.Scale)}
	case kindBool:
		return arrow.FixedWidthTypes.Boolean
	case kindTime:
		return utcMicro
	}
	return arrow.BinaryTypes.String
}

func (e *parquetEncoder) row(r partRow) error {
	e.builder.Field(0).(*array.StringBuilder).Append(string(r.Op))
	e.builder.Field(1).(*array.StringBuilder).Append(r.Key)
	i := 0
	for j, name := range e.names {
		b := e.builder.Field(j + 2)
		if i == len(r.Fields) || r.Fields[i].Name != name {
			b.AppendNull()
			continue
		}
		if err := appendValue(b, r.Fields[i]); err != nil {
			return fmt.Errorf("field %s: %w", name, err)
		}
		i++
	}
	if e.rows++; e.rows%parquetBatchRows == 0 {
		return e.flush()
	}
	return nil
}

func appendValue(b array.Builder, f partField) error {
	if f.Kind == kindNull {
		b.AppendNull()
		return nil
	}
	switch b := b.(type) {
	case *array.Int64Builder:
		n, err := strconv.ParseInt(f.Text, 10, 64)
		if err != nil { // its text would show the value
			return errors.New("a number does not fit 64 bits")
		}
		b.Append(n)
	case *array.BooleanBuilder:
		b.Append(f.Text == "true")
	case *array.TimestampBuilder:
		t, err := time.Parse(time.RFC3339Nano, f.Text)
		if err != nil {
			return errors.New("a time is outside of the years 0 to 9999")
		}
		b.Append(arrow.Timestamp(t.UnixMicro()))
	case *array.Decimal128Builder:
		t := b.Type().(*arrow.Decimal128Type)
		n, ok := decimalParser(int(t.Precision), int(t.Scale))([]byte(f.Text))
		if !ok {
			return fmt.Errorf("a number does not fit %s", t)
		}
		b.Append(n)
	case *array.StringBuilder:
		b.Append(f.Text)
	}
	return nil
}

func (e *parquetEncoder) flush() error {
	rec := e.builder.NewRecordBatch()
	defer rec.Release()
	if rec.NumRows() == 0 {
		return nil
	}
	return e.w.WriteBuffered(rec)
}

func (e *parquetEncoder) close() error {
	defer e.builder.Release()
	if err := e.flush(); err != nil {
		return err
	}
	return e.w.Close()
}
