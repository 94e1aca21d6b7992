package conform

import (
	"encoding/base64"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/shopspring/decimal"

	"github.com/weir-cdp/weir/pipelines/conform/mapping"
)

// cell reads one column's value of a row of a batch.
type cell func(row int) mapping.Value

// batchRow is one row of a batch, by the numbers of a stream's columns.
type batchRow struct {
	cells []cell // nil: the file does not have the column
	row   int
}

// Value implements mapping.Row.
func (r *batchRow) Value(column int) mapping.Value {
	c := r.cells[column]
	if c == nil {
		return mapping.Value{}
	}
	return c(r.row)
}

// cells reads the columns of a batch that are in read as the kinds that the
// table has them in now: an older file may hold narrower types.
func cells(batch arrow.RecordBatch, columns []mapping.Column, read []int, loc *time.Location) []cell {
	out := make([]cell, len(columns))
	for _, i := range read {
		at := batch.Schema().FieldIndices(columns[i].Name)
		if len(at) == 0 {
			continue
		}
		out[i] = as(columns[i].Kind, reader(batch.Column(at[0]), loc))
	}
	return out
}

// as brings values to a column's kind.
func as(kind mapping.Kind, c cell) cell {
	return func(row int) mapping.Value {
		v := c(row)
		if v.Kind == kind || v.Kind == mapping.Null {
			return v
		}
		switch kind {
		case mapping.Text:
			return mapping.Value{Kind: mapping.Text, Text: v.String()}
		case mapping.Decimal:
			if v.Kind == mapping.Int {
				return mapping.Value{Kind: kind, Decimal: decimal.NewFromInt(v.Int)}
			}
			if v.Kind == mapping.Double && !math.IsNaN(v.Double) && !math.IsInf(v.Double, 0) {
				return mapping.Value{Kind: kind, Decimal: decimal.NewFromFloat(v.Double)}
			}
		case mapping.Double:
			switch v.Kind {
			case mapping.Int:
				return mapping.Value{Kind: kind, Double: float64(v.Int)}
			case mapping.Decimal:
				return mapping.Value{Kind: kind, Double: v.Decimal.InexactFloat64()}
			}
		case mapping.Instant:
			if v.Kind == mapping.Day {
				if t, err := time.Parse(time.DateOnly, v.Text); err == nil {
					return mapping.Value{Kind: kind, Time: t}
				}
			}
		}
		return v
	}
}

// reader reads an Arrow array. Wall-clock timestamps are of loc.
func reader(a arrow.Array, loc *time.Location) cell {
	value := plainReader(a, loc)
	if a.NullN() == 0 {
		return value
	}
	return func(row int) mapping.Value {
		if a.IsNull(row) {
			return mapping.Value{}
		}
		return value(row)
	}
}

func integer[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32](value func(int) T) cell {
	return func(row int) mapping.Value { return mapping.Value{Kind: mapping.Int, Int: int64(value(row))} }
}

func plainReader(a arrow.Array, loc *time.Location) cell {
	switch a := a.(type) {
	case *array.String:
		return func(row int) mapping.Value { return text(a.Value(row)) }
	case *array.LargeString:
		return func(row int) mapping.Value { return text(a.Value(row)) }
	case *array.Int64:
		return integer(a.Value)
	case *array.Int32:
		return integer(a.Value)
	case *array.Int16:
		return integer(a.Value)
	case *array.Int8:
		return integer(a.Value)
	case *array.Uint32:
		return integer(a.Value)
	case *array.Uint16:
		return integer(a.Value)
	case *array.Uint8:
		return integer(a.Value)
	case *array.Float64:
		return func(row int) mapping.Value { return mapping.Value{Kind: mapping.Double, Double: a.Value(row)} }
	case *array.Float32:
		return func(row int) mapping.Value { return mapping.Value{Kind: mapping.Double, Double: float64(a.Value(row))} }
	case *array.Boolean:
		return func(row int) mapping.Value {
			if a.Value(row) {
				return mapping.Value{Kind: mapping.Bool, Int: 1}
			}
			return mapping.Value{Kind: mapping.Bool}
		}
	case *array.Date32:
		return func(row int) mapping.Value {
			return mapping.Value{Kind: mapping.Day, Text: a.Value(row).ToTime().Format(time.DateOnly)}
		}
	case *array.Timestamp:
		return timestamps(a, loc)
	case *array.Decimal128:
		scale := a.DataType().(*arrow.Decimal128Type).Scale
		return func(row int) mapping.Value {
			n := a.Value(row)
			return mapping.Value{Kind: mapping.Decimal, Decimal: decimal.NewFromBigInt(n.BigInt(), -scale)}
		}
	case *array.Binary:
		return func(row int) mapping.Value { return text(base64.StdEncoding.EncodeToString(a.Value(row))) }
	case *array.Dictionary:
		values := reader(a.Dictionary(), loc)
		return func(row int) mapping.Value { return values(a.GetValueIndex(row)) }
	case *array.Map:
		return maps(a, loc)
	case array.ListLike:
		return lists(a, loc)
	}
	return func(row int) mapping.Value { return text(a.ValueStr(row)) }
}

// text gives a text that is valid as long as its batch.
func text(s string) mapping.Value { return mapping.Value{Kind: mapping.Text, Text: s} }

func timestamps(a *array.Timestamp, loc *time.Location) cell {
	t := a.DataType().(*arrow.TimestampType)
	local := t.TimeZone == ""
	return func(row int) mapping.Value {
		at := a.Value(row).ToTime(t.Unit).UTC()
		if local {
			at = time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), loc)
		}
		return mapping.Value{Kind: mapping.Instant, Time: at}
	}
}

func lists(a array.ListLike, loc *time.Location) cell {
	values := reader(a.ListValues(), loc)
	return func(row int) mapping.Value {
		out := mapping.Value{Kind: mapping.List}
		start, end := a.ValueOffsets(row)
		for i := start; i < end; i++ {
			out.List = append(out.List, values(int(i)))
		}
		return out
	}
}

func maps(a *array.Map, loc *time.Location) cell {
	keys, values := reader(a.Keys(), loc), reader(a.Items(), loc)
	return func(row int) mapping.Value {
		out := mapping.Value{Kind: mapping.Map, Map: map[string]mapping.Value{}}
		start, end := a.ValueOffsets(row)
		for i := start; i < end; i++ {
			out.Map[keys(int(i)).String()] = values(int(i))
		}
		return out
	}
}
