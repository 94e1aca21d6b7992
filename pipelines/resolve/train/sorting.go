package train

import (
	"cmp"
	"math/bits"
	"slices"
)

// Hashes spread evenly, so they are sorted by dealing them into about as many
// buckets as there are hashes, by their first bits, and each bucket by itself: in
// linear time, but for the buckets of frequent values.

// fewHashes of a bucket are sorted by insertion.
const fewHashes = 24

// sortedKeys gives keys of hashes of at most most in ascending order, those of one hash in the
// order in which they came.
func sortedKeys(in []keyed, most uint64) []keyed {
	out := make([]keyed, len(in))
	ends, shift := deal(len(in), most)
	for i := range in {
		ends[in[i].hash>>shift+1]++
	}
	for b := 1; b < len(ends); b++ {
		ends[b] += ends[b-1]
	}
	for i := range in {
		b := in[i].hash >> shift
		out[ends[b]] = in[i]
		ends[b]++
	}
	start := int32(0)
	for _, end := range ends[:len(ends)-1] {
		if b := out[start:end]; len(b) > fewHashes {
			slices.SortStableFunc(b, func(x, y keyed) int { return cmp.Compare(x.hash, y.hash) })
		} else {
			for i := 1; i < len(b); i++ {
				for j := i; j > 0 && b[j].hash < b[j-1].hash; j-- {
					b[j], b[j-1] = b[j-1], b[j]
				}
			}
		}
		start = end
	}
	return out
}

// sortedHashes gives hashes in ascending order.
func sortedHashes(in []uint64) []uint64 {
	out := make([]uint64, len(in))
	ends, shift := deal(len(in), ^uint64(0))
	for _, h := range in {
		ends[h>>shift+1]++
	}
	for b := 1; b < len(ends); b++ {
		ends[b] += ends[b-1]
	}
	for _, h := range in {
		b := h >> shift
		out[ends[b]] = h
		ends[b]++
	}
	start := int32(0)
	for _, end := range ends[:len(ends)-1] {
		if b := out[start:end]; len(b) > fewHashes {
			slices.Sort(b)
		} else {
			for i := 1; i < len(b); i++ {
				for j := i; j > 0 && b[j] < b[j-1]; j-- {
					b[j], b[j-1] = b[j-1], b[j]
				}
			}
		}
		start = end
	}
	return out
}

// deal gives room to count into buckets, one more than there are, and by how many
// bits a hash of at most most is shifted to find its own.
func deal(n int, most uint64) (ends []int32, shift int) {
	shift = max(bits.Len64(most)-bits.Len(uint(n)), 0)
	return make([]int32, most>>shift+2), shift
}
