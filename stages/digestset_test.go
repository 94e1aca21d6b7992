package stages

import (
	"math/rand/v2"
	"testing"
)

// A set of digests is what a map that counts is, whatever is added and taken in
// whatever order, also where many have one home.
func TestDigestSetIsAMap(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		s, want, n := newDigestSet(), map[digests]int{}, 0
		for range 20_000 {
			d := digests{key: int64(r.IntN(3)), row: int64(1+r.IntN(2000)) << (10 * (seed % 2))}
			if r.IntN(2) == 0 {
				s.add(d)
				want[d]++
				n++
			} else if took := s.take(d); took != (want[d] > 0) {
				t.Fatalf("seed %d: take gives %t of %d", seed, took, want[d])
			} else if took {
				want[d]--
				n--
			}
			if s.n != n {
				t.Fatalf("seed %d: %d members, not %d", seed, s.n, n)
			}
		}
		keys, rows := s.drain()
		for i, row := range rows {
			want[digests{keys[i], row}]--
		}
		for d, left := range want {
			if left != 0 {
				t.Errorf("seed %d: %v is %d times too few", seed, d, left)
			}
		}
		if s.n != 0 || s.take(digests{keys[0], rows[0]}) {
			t.Errorf("seed %d: a drained set has members", seed)
		}
	}
}
