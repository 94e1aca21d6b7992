package files

import (
	"bytes"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// column collects the values of one column of a batch.
type column interface {
	// add appends the text of a value; it reports false, and appends null, if the
	// text is no value of the column's type.
	add(text []byte) bool
	null()
	len() int
	dataType() arrow.DataType
	// take gives what was collected and starts anew.
	take() arrow.Array
}

// textColumn builds an Arrow string column by appending to its buffers; arrow's
// own builder does more work for each value.
type textColumn struct {
	offsets []int32
	data    []byte
	nulls   []int32 // where
}

func newTextColumn() *textColumn { return &textColumn{offsets: make([]int32, 1, 1024)} }

func (c *textColumn) len() int                 { return len(c.offsets) - 1 }
func (c *textColumn) dataType() arrow.DataType { return arrow.BinaryTypes.String }

func (c *textColumn) add(text []byte) bool {
	c.data = append(c.data, text...)
	c.offsets = append(c.offsets, int32(len(c.data)))
	return true
}

func (c *textColumn) null() {
	c.nulls = append(c.nulls, int32(len(c.offsets)-1))
	c.offsets = append(c.offsets, int32(len(c.data)))
}

// validity is the bitmap of n values of which some are null; nil without any.
func validity(n int, nulls []int32) *memory.Buffer {
	if len(nulls) == 0 {
		return nil
	}
	bits := bytes.Repeat([]byte{0xff}, (n+7)/8)
	for _, i := range nulls {
		bits[i>>3] &^= 1 << (i & 7)
	}
	return memory.NewBufferBytes(bits)
}

// nullsUpTo appends nulls until the column has n values.
func nullsUpTo(c column, n int) {
	for c.len() < n {
		c.null()
	}
}

func (c *textColumn) take() arrow.Array {
	n := c.len()
	data := array.NewData(arrow.BinaryTypes.String, n, []*memory.Buffer{validity(n, c.nulls),
		memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.offsets)), memory.NewBufferBytes(c.data)}, nil, len(c.nulls), 0)
	defer data.Release()
	out := array.NewStringData(data)
	// The next batch is about as large: one allocation instead of a dozen.
	*c = textColumn{offsets: make([]int32, 1, n+1), data: make([]byte, 0, roundUp(len(c.data))), nulls: c.nulls[:0]}
	return out
}

func roundUp(n int) int {
	if n < 64 {
		return 64
	}
	return n + 1<<(bits.Len(uint(n))-4)
}

// numberColumn parses texts into values of one width, of a declared type.
type numberColumn[T arrow.FixedWidthType] struct {
	typ    arrow.DataType
	parse  func(text []byte) (T, bool)
	values []T
	nulls  []int32 // where
}

func numbers[T arrow.FixedWidthType](t arrow.DataType, parse func(text []byte) (T, bool)) column {
	return &numberColumn[T]{typ: t, parse: parse}
}

func (c *numberColumn[T]) len() int                 { return len(c.values) }
func (c *numberColumn[T]) dataType() arrow.DataType { return c.typ }

func (c *numberColumn[T]) null() {
	var none T
	c.nulls = append(c.nulls, int32(len(c.values)))
	c.values = append(c.values, none)
}

func (c *numberColumn[T]) add(text []byte) bool {
	if text = trimSpace(text); len(text) == 0 {
		c.null()
		return true
	}
	v, ok := c.parse(text)
	if !ok {
		c.null()
		return false
	}
	c.values = append(c.values, v)
	return true
}

func (c *numberColumn[T]) take() arrow.Array {
	n := len(c.values)
	data := array.NewData(c.typ, n, []*memory.Buffer{validity(n, c.nulls), memory.NewBufferBytes(arrow.GetBytes(c.values))}, nil, len(c.nulls), 0)
	defer data.Release()
	c.values, c.nulls = make([]T, 0, n), c.nulls[:0]
	return array.MakeFromData(data)
}

type booleanColumn struct{ b *array.BooleanBuilder }

func (c *booleanColumn) len() int                 { return c.b.Len() }
func (c *booleanColumn) dataType() arrow.DataType { return c.b.Type() }
func (c *booleanColumn) null()                    { c.b.AppendNull() }
func (c *booleanColumn) take() arrow.Array        { return c.b.NewArray() }

func (c *booleanColumn) add(text []byte) bool {
	text = trimSpace(text)
	v, ok := parseBoolean(text)
	if !ok {
		c.b.AppendNull()
		return len(text) == 0
	}
	c.b.Append(v)
	return true
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
