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
	ids  []byte
}

// open reads a block; its texts get numbers of d. Ids are valid until the next one.
func (o *opened) open(row *blockRow, d *timeline.Dictionary) error {
	n := int(row.Events)
	o.rest, o.bad, o.IDs = row.Columns, n < 0, ""
	places, times := o.take(4*n), o.take(8*n)
	if o.bad {
		return damaged()
	}
	o.Profiles, o.At = sized(o.Profiles, n), sized(o.At, n)
	for i := range n {
		o.Profiles[i] = int32(binary.LittleEndian.Uint32(places[4*i:]))
		o.At[i] = int64(binary.LittleEndian.Uint64(times[8*i:]))
	}
	o.Names = o.coded(n, o.Names, &d.Names)
	o.identifiers(n)
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

// identifiers reads the events' ids.
func (o *opened) identifiers(n int) {
	o.IDEnds = sized(o.IDEnds, n)
	if n == 0 {
		return
	}
	prefix := o.take(o.uvarint())
	most, total := o.uvarint(), o.uvarint()
	b := o.numbers(n, most)
	rest := o.take(total)
	o.ids = o.ids[:0]
	for i := range n {
		size := 0
		switch {
		case o.bad || most == 0:
		case most < 1<<8:
			size = int(b[i])
		case most < 1<<16:
			size = int(binary.LittleEndian.Uint16(b[2*i:]))
		default:
			size = int(binary.LittleEndian.Uint32(b[4*i:]))
		}
		if size > len(rest) {
			o.bad, size = true, 0
		}
		o.ids = append(append(o.ids, prefix...), rest[:size]...)
		o.IDEnds[i], rest = uint32(len(o.ids)), rest[size:]
	}
	o.bad = o.bad || len(rest) > 0
	o.IDs = text(o.ids)
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
	b, most := o.numbers(n, own), uint32(0)
	switch {
	case own == 0 || o.bad:
		clear(into)
		return into
	case own < 1<<8:
		for i := range into {
			into[i] = uint32(b[i])
			most = max(most, into[i])
		}
	case own < 1<<16:
		for i := range into {
			into[i] = uint32(binary.LittleEndian.Uint16(b[2*i:]))
			most = max(most, into[i])
		}
	default:
		for i := range into {
			into[i] = binary.LittleEndian.Uint32(b[4*i:])
			most = max(most, into[i])
		}
	}
	if int(most) >= len(o.ours) {
		o.bad = true
		clear(into)
		return into
	}
	for i, v := range into {
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
