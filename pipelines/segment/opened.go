package segment

import (
	"encoding/binary"
	"unsafe"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
)

// opened is a block that is read; its places are those of the roster. It is used for
// one block after the other.
type opened struct {
	timeline.Block
	rest []byte // what is not read yet
	bad  bool
	ours []uint32 // our number of a text, by the block's
}

// open reads a block; its texts get numbers of d. Ids are parts of the row's bytes.
func (o *opened) open(row *blockRow, d *timeline.Dictionary) error {
	n := int(row.Events)
	o.rest, o.bad, o.IDs = row.Columns, n < 0, ""
	places, times, ends := o.take(4*n), o.take(8*n), o.take(4*n)
	if o.bad {
		return damaged()
	}
	o.Profiles, o.At, o.IDEnds = sized(o.Profiles, n), sized(o.At, n), sized(o.IDEnds, n)
	for i := range n {
		o.Profiles[i] = int32(binary.LittleEndian.Uint32(places[4*i:]))
		o.At[i] = int64(binary.LittleEndian.Uint64(times[8*i:]))
		o.IDEnds[i] = binary.LittleEndian.Uint32(ends[4*i:])
		if i > 0 && o.IDEnds[i] < o.IDEnds[i-1] {
			return damaged()
		}
	}
	if n > 0 {
		o.IDs = text(o.take(int(o.IDEnds[n-1])))
	}
	o.Names = o.coded(n, o.Names, &d.Names)
	if o.Properties == nil {
		o.Properties = make([][]uint32, len(d.Properties))
	}
	for slot := range d.Properties {
		o.Properties[slot] = o.coded(n, o.Properties[slot], &d.Properties[slot])
	}
	if o.bad || len(o.rest) > 0 {
		return damaged()
	}
	return nil
}

func damaged() error { return weir.Errorf(weir.Internal, "a block of events is damaged") }

// sized returns a slice of so many elements, with the memory of s if that is enough.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// text is bytes that nobody writes to any more, as a text.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// take returns the next bytes.
func (o *opened) take(n int) []byte {
	if n < 0 || n > len(o.rest) {
		o.bad = true
		return nil
	}
	out := o.rest[:n]
	o.rest = o.rest[n:]
	return out
}

func (o *opened) uvarint() int {
	v, n := binary.Uvarint(o.rest)
	if n <= 0 || v > 1<<31 {
		o.bad = true
		return 0
	}
	o.rest = o.rest[n:]
	return int(v)
}

// coded reads a column of texts.
func (o *opened) coded(n int, into []uint32, texts *timeline.Texts) []uint32 {
	into = sized(into, n)
	own := o.uvarint()
	o.ours = append(o.ours[:0], 0)
	for i := 0; i < own && !o.bad; i++ {
		o.ours = append(o.ours, texts.Code(text(o.take(o.uvarint()))))
	}
	var at func(i int) uint32
	switch b := o.numbers(n, own); {
	case own == 0 || o.bad:
		clear(into)
		return into
	case own < 1<<8:
		at = func(i int) uint32 { return uint32(b[i]) }
	case own < 1<<16:
		at = func(i int) uint32 { return uint32(binary.LittleEndian.Uint16(b[2*i:])) }
	default:
		at = func(i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }
	}
	for i := range into {
		v := at(i)
		if int(v) >= len(o.ours) {
			o.bad = true
			clear(into)
			break
		}
		into[i] = o.ours[v]
	}
	return into
}

// numbers returns the bytes of n numbers up to most.
func (o *opened) numbers(n, most int) []byte {
	switch {
	case most == 0:
		return nil
	case most < 1<<8:
		return o.take(n)
	case most < 1<<16:
		return o.take(2 * n)
	}
	return o.take(4 * n)
}
