package train

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// maxValues bounds a table of frequencies.
const maxValues = 30_000

// tally counts the prepared values of one column in the sample.
type tally struct {
	of    map[uint32]int32
	held  int // records with a value
	blank []uint32
}

func (t *trainer) count(column int) *tally {
	c := &tally{of: map[uint32]int32{}}
	for i := range t.size {
		if v := &t.features[i].Values[column]; !v.Missing() {
			c.of[t.hashes[i*len(t.cols)+column]]++
			c.held++
		}
	}
	return c
}

// placeholders are values so much more frequent than the column's others that
// they name nobody: 1900-01-01, a shop's own phone. Only columns whose values
// are otherwise rare have them: a name or a town may well be frequent.
func (c *tally) placeholders(kind compare.Kind) {
	if kind == compare.Name || kind == compare.Company || kind == compare.Place || kind == compare.Postcode || kind == compare.Text || kind == compare.Number {
		return
	}
	counts := make([]int32, 0, len(c.of))
	for _, n := range c.of {
		counts = append(counts, n)
	}
	slices.Sort(counts)
	if len(counts) == 0 {
		return
	}
	// What 98 of 100 records' values do not exceed.
	seen, usual := 0, counts[0]
	for _, n := range counts {
		seen += int(n)
		if seen*100 > c.held*98 {
			break
		}
		usual = n
	}
	for h, n := range c.of {
		if n >= 10 && n > 6*usual {
			c.blank = append(c.blank, h)
		}
	}
	slices.Sort(c.blank)
}

// strange is, by how many records hold a value (in powers of two), the share of
// strangers among the pairs that hold it: a mailbox on four records is one
// person's, a family name on four hundred is not.
type strange [32]float64

func bucket(n int32) int { return bits.Len32(uint32(n)) }

// strangeness measures it on pairs that agree on a column: what mixture of
// matches, relatives and strangers explains their other columns. It is maximised
// like any mixture, and does not ask what the column itself is worth.
func (t *trainer) strangeness(c int, tl *tally, s *seen) *strange {
	if s == nil {
		return nil
	}
	pairs := make([][][3]float64, 32) // by bucket: likelihoods of match, relatives, strangers
	for k := range s.all {
		b := bucket(tl.of[t.hashes[int(s.pairs[k].a)*len(t.cols)+c]])
		pairs[b] = append(pairs[b], t.others(c, &s.all[k]))
	}
	var out strange
	last := [3]float64{0.4, 0.1, 0.5}
	for b := range out {
		const faith = 10
		q := last
		for range 20 {
			sum := [3]float64{faith * last[0], faith * last[1], faith * last[2]}
			for _, p := range pairs[b] {
				all := q[0]*p[0] + q[1]*p[1] + q[2]*p[2]
				if all == 0 {
					continue
				}
				for i := range sum {
					sum[i] += q[i] * p[i] / all
				}
			}
			n := float64(len(pairs[b])) + faith
			q = [3]float64{sum[0] / n, sum[1] / n, sum[2] / n}
		}
		last = q
		out[b] = max(q[2], 0.005*t.oneFor())
	}
	return &out
}

// oneFor is how many records of the sample stand for one of the table, at most 1. What
// is assumed at least of strangers who hold a value is so many of the table: of a
// sample's records it would grow with the table, while a mailbox stays one person's.
func (t *trainer) oneFor() float64 { return float64(t.size) / float64(t.total) }

// others are the likelihoods of all columns but one, among matches, relatives
// and strangers.
func (t *trainer) others(c int, o *observed) (out [3]float64) {
	rest := *o
	rest.level[c] = uint8(compare.Missing)
	var p [8]float64
	t.likelihoods(&rest, p[:])
	var prior [3]float64
	for k := range t.classes {
		i := 1
		switch {
		case t.classes[k].Match:
			i = 0
		case k == 0:
			i = 2
		}
		out[i] += p[k]
		prior[i] += t.classes[k].Prior
	}
	for i := range out {
		if prior[i] > 0 {
			out[i] /= prior[i]
		}
	}
	return
}

// table makes the column's table of frequencies. Of the n records that hold a
// value, one is the record that is compared and some are its duplicates: what
// strangers hold is the rest. Where that was not measured, same is the number of
// duplicates of a record. Share is how many records of the sample stand for one of the
// table.
func (c *tally) table(odd *strange, same, share float64) model.Table {
	n := float64(max(c.held, 1))
	others := func(k int32) float64 {
		if odd == nil {
			return float64(k-1) - same
		}
		return float64(k-1) * odd[bucket(k)]
	}
	type entry struct {
		h uint32
		n int32
	}
	var es []entry
	once, twice := 0.0, 0.0
	for h, k := range c.of {
		if slices.Contains(c.blank, h) {
			continue
		}
		switch k {
		case 1:
			once++
		case 2:
			twice++
		}
		if k > 1 {
			es = append(es, entry{h, k})
		}
	}
	slices.SortFunc(es, func(a, b entry) int {
		if a.n != b.n {
			return int(b.n) - int(a.n)
		}
		return cmp.Compare(a.h, b.h)
	})
	// A value seen once has by Good's and Turing's estimate the frequency of
	// 2*twice/once records; what duplicates put there does not count.
	rare := 0.1
	if once > 0 {
		left, least := twice*max(others(2), 0), 0.002*share
		if odd == nil {
			left, least = max(twice-once*same/2, 0), 0.05
		}
		rare = min(max(2*left/once, least), 1)
	}
	of := map[uint32]float64{}
	for i, e := range es {
		if i == maxValues {
			break
		}
		of[e.h] = math.Min(max(others(e.n), rare)/n, 1)
	}
	return model.MakeTable(of, rare/n)
}
