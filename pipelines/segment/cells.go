package segment

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// This file makes the columns of tables: fifty million values of a run over a million
// profiles go through it, and Arrow's own builders take five times as long for a text.

// cells is a column that is being made.
type cells interface {
	null()
	// copied appends values of an array of the column's type.
	copied(a arrow.Array, from, to int)
	// array makes the column, and begins another.
	array(as arrow.DataType) arrow.Array
}

// known says which values of a column there are.
type known struct {
	n, nulls int
	bits     []byte
}

func (k *known) add(is bool) {
	if k.n&7 == 0 {
		k.bits = append(k.bits, 0)
	}
	if is {
		k.bits[k.n>>3] |= 1 << (k.n & 7)
	} else {
		k.nulls++
	}
	k.n++
}

// buffer is the validity of an array; nil: all are there.
func (k *known) buffer() *memory.Buffer {
	if k.nulls == 0 {
		return nil
	}
	return memory.NewBufferBytes(k.bits)
}

func (k *known) begin() { *k = known{bits: make([]byte, 0, cap(k.bits))} }

// textCells are texts.
type textCells struct {
	known
	ends []int32 // after the first, which is 0
	data []byte
}

func (c *textCells) append(text string) {
	c.data = append(c.data, text...)
	c.end(true)
}

func (c *textCells) null() { c.end(false) }

func (c *textCells) end(is bool) {
	if len(c.ends) == 0 {
		c.ends = append(c.ends, 0)
	}
	c.ends = append(c.ends, int32(len(c.data)))
	c.add(is)
}

func (c *textCells) copied(a arrow.Array, from, to int) {
	texts := a.(*array.String)
	for i := from; i < to; i++ {
		if texts.IsNull(i) {
			c.null()
		} else {
			c.append(texts.Value(i))
		}
	}
}

func (c *textCells) array(as arrow.DataType) arrow.Array {
	d := array.NewData(as, c.n, []*memory.Buffer{c.buffer(), memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.ends)), memory.NewBufferBytes(c.data)}, nil, c.nulls, 0)
	defer d.Release()
	out := array.NewStringData(d)
	c.ends, c.data = make([]int32, 0, cap(c.ends)), make([]byte, 0, len(c.data)+len(c.data)/16)
	c.begin()
	return out
}

// fixedCells are values of one size: moments and exact numbers.
type fixedCells[V arrow.Timestamp | decimal128.Num] struct {
	known
	values []V
}

func (c *fixedCells[V]) append(v V) {
	c.values = append(c.values, v)
	c.add(true)
}

func (c *fixedCells[V]) null() {
	var none V
	c.values = append(c.values, none)
	c.add(false)
}

func (c *fixedCells[V]) copied(a arrow.Array, from, to int) {
	values := a.(interface{ Value(i int) V })
	for i := from; i < to; i++ {
		if a.IsNull(i) {
			c.null()
		} else {
			c.append(values.Value(i))
		}
	}
}

func (c *fixedCells[V]) array(as arrow.DataType) arrow.Array {
	var one V
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(c.values))), len(c.values)*int(unsafe.Sizeof(one)))
	d := array.NewData(as, c.n, []*memory.Buffer{c.buffer(), memory.NewBufferBytes(bytes)}, nil, c.nulls, 0)
	defer d.Release()
	c.values = make([]V, 0, cap(c.values))
	c.begin()
	return array.MakeFromData(d)
}

// cellsOf are those for a type; nil: the tables of this stage don't have it.
func cellsOf(t arrow.DataType) cells {
	switch t.ID() {
	case arrow.STRING:
		return &textCells{}
	case arrow.TIMESTAMP:
		return &fixedCells[arrow.Timestamp]{}
	case arrow.DECIMAL128:
		return &fixedCells[decimal128.Num]{}
	}
	return nil
}
