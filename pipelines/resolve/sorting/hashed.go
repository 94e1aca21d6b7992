package sorting

import (
	"math/bits"
	"slices"
)

// bucketSize is about how many things Hashed puts into a bucket.
const bucketSize = 8

// Hashed sorts by an order whose first criterion is a hash: it puts things into
// buckets by the hash's upper bits, and sorts each (a bucket sort, linear for hashes
// that are spread evenly). It returns the sorted list; xs is left in any order.
func Hashed[T any](xs []T, hash func(*T) uint64, compare func(a, b T) int) []T {
	if len(xs) < 16*bucketSize {
		slices.SortFunc(xs, compare)
		return xs
	}
	shift := 64 - bits.Len(uint(len(xs)/bucketSize))
	ends := make([]int, 1<<(64-shift)+1) // by bucket, from the second: where it begins, then where it ends
	for i := range xs {
		ends[hash(&xs[i])>>shift+1]++
	}
	for b := 1; b < len(ends); b++ {
		ends[b] += ends[b-1]
	}
	out := make([]T, len(xs))
	for i := range xs {
		at := &ends[hash(&xs[i])>>shift]
		out[*at] = xs[i]
		*at++
	}
	start := 0
	for _, end := range ends[:len(ends)-1] {
		if end-start > 1 {
			slices.SortFunc(out[start:end], compare)
		}
		start = end
	}
	return out
}
