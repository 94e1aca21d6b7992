package postgres

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/bits"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// column collects the binary values of one column of a batch.
type column interface {
	// add appends a value. A value that the column can't hold is null and gives a
	// reason. It reports false if the bytes are none of the type's.
	add(v []byte) (reason string, ok bool)
	null()
	dataType() arrow.DataType
	// take gives what was collected and starts anew.
	take() arrow.Array
}

// fixed is a column of values of one width, by Arrow's own builder.
type fixed[B array.Builder] struct {
	b   B
	put func(b B, v []byte) (string, bool)
}

func (c *fixed[B]) null()                       { c.b.AppendNull() }
func (c *fixed[B]) dataType() arrow.DataType    { return c.b.Type() }
func (c *fixed[B]) take() arrow.Array           { return c.b.NewArray() }
func (c *fixed[B]) add(v []byte) (string, bool) { return c.put(c.b, v) }
func be16(v []byte) int16                       { return int16(binary.BigEndian.Uint16(v)) }
func be32(v []byte) int32                       { return int32(binary.BigEndian.Uint32(v)) }
func be64(v []byte) int64                       { return int64(binary.BigEndian.Uint64(v)) }
func builder[B array.Builder](t arrow.DataType) B {
	return array.NewBuilder(memory.DefaultAllocator, t).(B)
}

func newBool() column {
	return &fixed[*array.BooleanBuilder]{builder[*array.BooleanBuilder](arrow.FixedWidthTypes.Boolean), func(b *array.BooleanBuilder, v []byte) (string, bool) {
		if len(v) != 1 {
			return "", false
		}
		b.Append(v[0] != 0)
		return "", true
	}}
}

func newInt32() column {
	return &fixed[*array.Int32Builder]{builder[*array.Int32Builder](arrow.PrimitiveTypes.Int32), func(b *array.Int32Builder, v []byte) (string, bool) {
		switch len(v) {
		case 2:
			b.Append(int32(be16(v)))
		case 4:
			b.Append(be32(v))
		default:
			return "", false
		}
		return "", true
	}}
}

func newInt64() column {
	return &fixed[*array.Int64Builder]{builder[*array.Int64Builder](arrow.PrimitiveTypes.Int64), func(b *array.Int64Builder, v []byte) (string, bool) {
		switch len(v) {
		case 4: // an oid
			b.Append(int64(binary.BigEndian.Uint32(v)))
		case 8:
			b.Append(be64(v))
		default:
			return "", false
		}
		return "", true
	}}
}

// newFloat reads real and double precision; NaN and infinity are values. A real
// becomes the double of its shortest text: 0.1, not 0.10000000149.
func newFloat() column {
	return &fixed[*array.Float64Builder]{builder[*array.Float64Builder](arrow.PrimitiveTypes.Float64), func(b *array.Float64Builder, v []byte) (string, bool) {
		switch len(v) {
		case 4:
			f := math.Float32frombits(binary.BigEndian.Uint32(v))
			x, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
			if err != nil {
				return "", false
			}
			b.Append(x)
		case 8:
			b.Append(math.Float64frombits(binary.BigEndian.Uint64(v)))
		default:
			return "", false
		}
		return "", true
	}}
}

// PostgreSQL counts from 2000-01-01.
const (
	epochDays   = 10957
	epochMicros = epochDays * 86_400_000_000
	firstDay    = -719162 // 0001-01-01
	lastDay     = 2932896 // 9999-12-31
	dayMicros   = 86_400_000_000
)

const outOfRange = "the year is not between 1 and 9999"

func newDate() column {
	return &fixed[*array.Date32Builder]{builder[*array.Date32Builder](arrow.FixedWidthTypes.Date32), func(b *array.Date32Builder, v []byte) (string, bool) {
		if len(v) != 4 {
			return "", false
		}
		d := be32(v)
		days := int64(d) + epochDays
		switch {
		case d == math.MaxInt32 || d == math.MinInt32:
			b.AppendNull()
			return "an infinite date", true
		case days < firstDay || days > lastDay:
			b.AppendNull()
			return outOfRange, true
		}
		b.Append(arrow.Date32(days))
		return "", true
	}}
}

func newTimestamp(zone string) column {
	t := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: zone}
	return &fixed[*array.TimestampBuilder]{builder[*array.TimestampBuilder](t), func(b *array.TimestampBuilder, v []byte) (string, bool) {
		if len(v) != 8 {
			return "", false
		}
		us := be64(v)
		switch {
		case us == math.MaxInt64 || us == math.MinInt64:
			b.AppendNull()
			return "an infinite time", true
		case us < firstDay*dayMicros-epochMicros || us >= (lastDay+1)*dayMicros-epochMicros:
			b.AppendNull()
			return outOfRange, true
		}
		b.Append(arrow.Timestamp(us + epochMicros))
		return "", true
	}}
}

// bytesColumn builds text and binary columns by appending to their buffers;
// Arrow's builder does more work for each value.
type bytesColumn struct {
	typ     arrow.DataType
	put     func(c *bytesColumn, v []byte) (string, bool)
	offsets []int32
	data    []byte
	valid   []byte
	nulls   int
}

func newBytesColumn(t arrow.DataType, put func(*bytesColumn, []byte) (string, bool)) column {
	return &bytesColumn{typ: t, put: put, offsets: make([]int32, 1, 1024)}
}

func newBytes() column {
	return newBytesColumn(arrow.BinaryTypes.Binary, func(c *bytesColumn, v []byte) (string, bool) { c.value(v); return "", true })
}

func newText() column {
	return newBytesColumn(arrow.BinaryTypes.String, func(c *bytesColumn, v []byte) (string, bool) { c.value(v); return "", true })
}

// newJSONB drops the version that precedes the text.
func newJSONB() column {
	return newBytesColumn(arrow.BinaryTypes.String, func(c *bytesColumn, v []byte) (string, bool) {
		if len(v) == 0 || v[0] != 1 {
			return "", false
		}
		c.value(v[1:])
		return "", true
	})
}

func newUUID() column {
	return newBytesColumn(arrow.BinaryTypes.String, func(c *bytesColumn, v []byte) (string, bool) {
		if len(v) != 16 {
			return "", false
		}
		var text [36]byte
		at := 0
		for i, part := range [][]byte{v[:4], v[4:6], v[6:8], v[8:10], v[10:]} {
			if i > 0 {
				text[at] = '-'
				at++
			}
			at += hex.Encode(text[at:], part)
		}
		c.value(text[:])
		return "", true
	})
}

func (c *bytesColumn) add(v []byte) (string, bool) { return c.put(c, v) }
func (c *bytesColumn) dataType() arrow.DataType    { return c.typ }

func (c *bytesColumn) value(v []byte) {
	c.mark(true)
	c.data = append(c.data, v...)
	c.offsets = append(c.offsets, int32(len(c.data)))
}

func (c *bytesColumn) null() {
	c.mark(false)
	c.nulls++
	c.offsets = append(c.offsets, int32(len(c.data)))
}

func (c *bytesColumn) mark(valid bool) {
	i := len(c.offsets) - 1
	if i&7 == 0 {
		c.valid = append(c.valid, 0)
	}
	if valid {
		c.valid[i>>3] |= 1 << (i & 7)
	}
}

func (c *bytesColumn) take() arrow.Array {
	n := len(c.offsets) - 1
	valid := memory.NewBufferBytes(c.valid)
	if c.nulls == 0 {
		valid = nil
	}
	data := array.NewData(c.typ, n, []*memory.Buffer{valid,
		memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.offsets)), memory.NewBufferBytes(c.data)}, nil, c.nulls, 0)
	defer data.Release()
	// The next batch is about as large: one allocation instead of a dozen.
	c.offsets, c.data, c.valid, c.nulls = make([]int32, 1, n+1), make([]byte, 0, roomy(len(c.data))), make([]byte, 0, n/8+1), 0
	return array.MakeFromData(data)
}

func roomy(n int) int {
	if n < 64 {
		return 64
	}
	return n + 1<<(bits.Len(uint(n))-4)
}
