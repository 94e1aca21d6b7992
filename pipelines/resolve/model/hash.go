package model

import "math/bits"

// Hash is a 64-bit hash of a text, the same on every machine: the multiply and
// fold of wyhash over words of eight bytes.
func Hash(seed uint64, s string) uint64 {
	h := seed ^ 0x9e3779b97f4a7c15 ^ uint64(len(s))
	for len(s) >= 8 {
		h = Mix(h, uint64(s[0])|uint64(s[1])<<8|uint64(s[2])<<16|uint64(s[3])<<24|
			uint64(s[4])<<32|uint64(s[5])<<40|uint64(s[6])<<48|uint64(s[7])<<56)
		s = s[8:]
	}
	var w uint64
	for i := 0; i < len(s); i++ {
		w |= uint64(s[i]) << (8 * i)
	}
	return Mix(h, w)
}

// Mix puts one more word into a hash.
func Mix(h, w uint64) uint64 {
	hi, lo := bits.Mul64(h^0xa0761d6478bd642f, w^0xe7037ed1a0b428db)
	return hi ^ lo
}

// ValueHash is the hash of a prepared value's text in tables of frequencies.
func ValueHash(text string) uint32 { return uint32(Hash(0x7f, text) >> 16) }
