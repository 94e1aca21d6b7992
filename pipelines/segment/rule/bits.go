package rule

import "math/bits"

// Bits is a set of profiles, by place.
type Bits []uint64

// NewBits returns the empty set of so many profiles.
func NewBits(n int) Bits { return make(Bits, (n+63)/64) }

// Set adds a profile.
func (b Bits) Set(i int) { b[i/64] |= 1 << (i % 64) }

// Has says whether a profile is in the set.
func (b Bits) Has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

// All yields the places of the set, in order.
func (b Bits) All(yield func(i int) bool) {
	for w, word := range b {
		for ; word != 0; word &= word - 1 {
			if !yield(w*64 + bits.TrailingZeros64(word)) {
				return
			}
		}
	}
}

func (b Bits) and(o Bits) Bits {
	out := make(Bits, len(b))
	for i := range b {
		out[i] = b[i] & o[i]
	}
	return out
}

func (b Bits) or(o Bits) Bits {
	out := make(Bits, len(b))
	for i := range b {
		out[i] = b[i] | o[i]
	}
	return out
}

// not is the set of all others of n.
func (b Bits) not(n int) Bits {
	out := make(Bits, len(b))
	for i := range b {
		out[i] = ^b[i]
	}
	if rest := n % 64; rest != 0 {
		out[len(out)-1] &= 1<<rest - 1
	}
	return out
}
