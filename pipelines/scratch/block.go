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
//	0   magic, which says whether the rows are compressed
//	4   fingerprint of the rows' type
//	12  rows
//	20  bytes of the rows before compression
//	28  CRC-32C of the bytes that follow
const (
	magic  = "wsb1"
	plain  = "wsb0"
	header = 32
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encoder lays rows of type T out.
type Encoder[T any] struct {
	// Fast leaves blocks as they are where one came out larger than fastShare of its
	// rows: for a disk of this machine, to which writing costs less than that.
	Fast  bool
	plan  plan
	loose bool // blocks of these rows don't get small
}

const fastShare = 0.6

// NewEncoder fails for a type that can't be laid out: only structs of texts,
// bytes, numbers, booleans, times, and of slices and structs of these.
func NewEncoder[T any]() (*Encoder[T], error) {
	p, err := planOf(reflect.TypeFor[T]())
	return &Encoder[T]{plan: p}, err
}

// Append appends a row's bytes to those of the rows before it.
func (e *Encoder[T]) Append(rows []byte, row *T) []byte {
	return e.plan.write(rows, unsafe.Pointer(row))
}

// Block appends to b the block of n rows that Append laid out.
func (e *Encoder[T]) Block(b, rows []byte, n int) []byte {
	start := len(b)
	kind, room := magic, s2.MaxEncodedLen(len(rows))
	if e.loose {
		kind, room = plain, len(rows)
	}
	b = slices.Grow(b, header+room)
	b = append(b, kind...)
	b = binary.LittleEndian.AppendUint64(b, e.plan.print)
	b = binary.LittleEndian.AppendUint64(b, uint64(n))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(rows)))
	b = append(b, 0, 0, 0, 0)
	if e.loose {
		b = append(b, rows...)
	} else {
		packed := len(s2.Encode(b[len(b):cap(b)], rows))
		b = b[:len(b)+packed]
		e.loose = e.Fast && float64(packed) > fastShare*float64(len(rows))
	}
	binary.LittleEndian.PutUint32(b[start+28:], crc32.Checksum(b[start+header:], castagnoli))
	return b
}

// Decode reads a block. Texts and bytes of the rows share one buffer, which may be the
// block: who keeps one of them for long keeps them all, and nobody may write into
// either.
func Decode[T any](block []byte) ([]T, error) {
	p, n, raw, err := opened[T](block)
	if err != nil {
		return nil, err
	}
	rows := make([]T, n)
	if err := fill(rows, &p, raw); err != nil {
		return nil, err
	}
	return rows, nil
}

// DecodeTo is Decode into rows that are there, all zero, as many as the block has.
func DecodeTo[T any](rows []T, block []byte) error {
	p, n, raw, err := opened[T](block)
	if err != nil {
		return err
	}
	if uint64(len(rows)) != n {
		return weir.Errorf(weir.Internal, "the block has %d rows, its reference says %d", n, len(rows))
	}
	return fill(rows, &p, raw)
}

// opened checks a block and returns how many rows it has, and their bytes.
func opened[T any](block []byte) (p plan, n uint64, raw []byte, err error) {
	if p, err = planOf(reflect.TypeFor[T]()); err != nil {
		return p, 0, nil, err
	}
	if len(block) < header || string(block[:4]) != magic && string(block[:4]) != plain {
		return p, 0, nil, weir.Errorf(weir.Internal, "this is no block of scratch rows")
	}
	if got := binary.LittleEndian.Uint64(block[4:]); got != p.print {
		return p, 0, nil, weir.Errorf(weir.Internal, "the block's rows are not of type %s", reflect.TypeFor[T]())
	}
	n, size := binary.LittleEndian.Uint64(block[12:]), binary.LittleEndian.Uint64(block[20:])
	body := block[header:]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(block[28:]) {
		return p, 0, nil, weir.Errorf(weir.Internal, "the block is damaged")
	}
	if n > size/uint64(max(p.size, 1)) && n > 0 && p.size > 0 {
		return p, 0, nil, weir.Errorf(weir.Internal, "the block's header does not fit its rows")
	}
	raw = body
	if string(block[:4]) == magic {
		if raw, err = unpacked(body, size); err != nil {
			return p, 0, nil, err
		}
	}
	if uint64(len(raw)) != size {
		return p, 0, nil, weir.Errorf(weir.Internal, "the block's header does not fit its rows")
	}
	return p, n, raw, nil
}

// fill reads rows from their bytes.
func fill[T any](rows []T, p *plan, raw []byte) error {
	r := reader{b: raw, s: unsafe.String(unsafe.SliceData(raw), len(raw))}
	for i := range rows {
		p.read(&r, unsafe.Pointer(&rows[i]))
	}
	if r.fail != nil || r.at != len(raw) {
		return weir.Errorf(weir.Internal, "the block is damaged: %d rows end at byte %d of %d", len(rows), r.at, len(raw))
	}
	return nil
}

func unpacked(body []byte, size uint64) ([]byte, error) {
	if have, err := s2.DecodedLen(body); err != nil || uint64(have) != size {
		return nil, weir.Errorf(weir.Internal, "the block's header does not fit its rows")
	}
	raw, err := s2.Decode(nil, body)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "the block is damaged: %w", err)
	}
	return raw, nil
}
