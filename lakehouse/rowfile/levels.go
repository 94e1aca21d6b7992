package rowfile

import (
	"encoding/binary"
	"math/bits"
)

// hybrid decodes n numbers of width bits from the runs and bit-packed groups in which
// Parquet keeps levels and dictionary codes (Parquet's format, "RLE/Bit-Packing
// Hybrid"), and appends them to dst. ok is false where src is too short.
func hybrid[N uint8 | uint32](dst []N, src []byte, width, n int) (out []N, ok bool) {
	if width == 0 {
		return repeated(dst, 0, n), true
	}
	if width > 32 {
		return dst, false
	}
	for n > 0 {
		head, size := binary.Uvarint(src)
		if size <= 0 || head>>1 > 1<<31 {
			return dst, false
		}
		src = src[size:]
		count, most := int(head>>1), n
		if head&1 == 0 {
			bytes := (width + 7) / 8
			if len(src) < bytes || count == 0 {
				return dst, false
			}
			var v uint64
			for i := range bytes {
				v |= uint64(src[i]) << (8 * i)
			}
			dst, src = repeated(dst, N(v), min(count, most)), src[bytes:]
			n -= min(count, most)
			continue
		}
		if count == 0 || len(src) < count*width {
			return dst, false
		}
		dst = unpacked(dst, src[:count*width], width, min(8*count, most))
		src = src[count*width:]
		n -= min(8*count, most)
	}
	return dst, true
}

func repeated[N uint8 | uint32](dst []N, v N, n int) []N {
	from := len(dst)
	dst = append(dst, make([]N, n)...)
	if v != 0 {
		tail := dst[from:]
		for i := range tail {
			tail[i] = v
		}
	}
	return dst
}

// unpacked appends the first n numbers of bit-packed groups of eight.
func unpacked[N uint8 | uint32](dst []N, src []byte, width, n int) []N {
	from := len(dst)
	dst = append(dst, make([]N, n)...)
	out := dst[from:]
	mask := uint64(1)<<width - 1
	i, at := 0, 0 // at: a bit of src
	for ; i < n && at>>3+8 <= len(src); i, at = i+1, at+width {
		out[i] = N(binary.LittleEndian.Uint64(src[at>>3:]) >> (at & 7) & mask)
	}
	for ; i < n; i, at = i+1, at+width {
		var rest [8]byte
		copy(rest[:], src[at>>3:])
		out[i] = N(binary.LittleEndian.Uint64(rest[:]) >> (at & 7) & mask)
	}
	return dst
}

// widthOf is how many bits a level takes.
func widthOf(most int16) int { return bits.Len16(uint16(most)) }
