package scratch

import (
	"encoding/binary"
	"hash/crc32"
	"reflect"
	"slices"
	"unsafe"

	"github.com/klauspost/compress/s2"

	"github.com/weir-cdp/weir"
)

// The header of a block:
//
//	0   magic
//	4   fingerprint of the rows' type
//	12  rows
//	20  bytes of the rows before compression
//	28  CRC-32C of the compressed bytes
const (
	magic  = "wsb1"
	header = 32
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encoder lays rows of type T out.
type Encoder[T any] struct{ plan plan }

// NewEncoder fails for a type that can't be laid out: only structs of texts,
// bytes, numbers, booleans, times, and of slices and structs of these.
func NewEncoder[T any]() (*Encoder[T], error) {
	p, err := planOf(reflect.TypeFor[T]())
	return &Encoder[T]{plan: p}, err
}

// Append appends a row's bytes to those of the rows before it.
func (e *Encoder[T]) Append(rows []byte, row *T) []byte {
	return e.plan.write(rows, reflect.ValueOf(row).Elem())
}

// Block appends to b the block of n rows that Append laid out.
func (e *Encoder[T]) Block(b, rows []byte, n int) []byte {
	start := len(b)
	b = slices.Grow(b, header+s2.MaxEncodedLen(len(rows)))
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint64(b, e.plan.print)
	b = binary.LittleEndian.AppendUint64(b, uint64(n))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(rows)))
	b = append(b, 0, 0, 0, 0)
	b = append(b, s2.Encode(b[len(b):cap(b)], rows)...)
	binary.LittleEndian.PutUint32(b[start+28:], crc32.Checksum(b[start+header:], castagnoli))
	return b
}

// Decode reads a block. Texts and bytes of the rows share one buffer, which is not
// the block: who keeps one of them for long keeps them all, and nobody may write
// into the bytes.
func Decode[T any](block []byte) ([]T, error) {
	p, err := planOf(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	if len(block) < header || string(block[:4]) != magic {
		return nil, weir.Errorf(weir.Internal, "this is no block of scratch rows")
	}
	if got := binary.LittleEndian.Uint64(block[4:]); got != p.print {
		return nil, weir.Errorf(weir.Internal, "the block's rows are not of type %s", reflect.TypeFor[T]())
	}
	n, size := binary.LittleEndian.Uint64(block[12:]), binary.LittleEndian.Uint64(block[20:])
	body := block[header:]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(block[28:]) {
		return nil, weir.Errorf(weir.Internal, "the block is damaged")
	}
	if have, err := s2.DecodedLen(body); err != nil || uint64(have) != size || n > size/uint64(max(p.size, 1)) && n > 0 && p.size > 0 {
		return nil, weir.Errorf(weir.Internal, "the block's header does not fit its rows")
	}
	raw, err := s2.Decode(nil, body)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "the block is damaged: %w", err)
	}
	r := reader{b: raw, s: unsafe.String(unsafe.SliceData(raw), len(raw))}
	rows := make([]T, n)
	all := reflect.ValueOf(rows)
	for i := range rows {
		p.read(&r, all.Index(i))
	}
	if r.fail != nil || r.at != len(raw) {
		return nil, weir.Errorf(weir.Internal, "the block is damaged: %d rows end at byte %d of %d", n, r.at, len(raw))
	}
	return rows, nil
}
