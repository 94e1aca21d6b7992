package train

import (
	"math"
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
	for i := range t.features {
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
func (c *tally) placeholders(kind compare.Kind, spread bool) {
	if !spread || kind == compare.Name || kind == compare.Place || kind == compare.Postcode || kind == compare.Text || kind == compare.Number {
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

// table makes the column's table of frequencies. Of the n records that hold a
// value, one is the record that is compared and some are its duplicates: what
// others hold is the rest.
func (c *tally) table(same float64) model.Table {
	n := float64(max(c.held, 1))
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
		return int(int64(a.h) - int64(b.h))
	})
	// A value seen once has by Good's and Turing's estimate the frequency of
	// 2*twice/once records; what duplicates put there does not count.
	rare := 0.1
	if once > 0 {
		rare = min(max(2*max(twice-once*same/2, 0)/once, 0.1), 1)
	}
	of := map[uint32]float64{}
	for i, e := range es {
		if i == maxValues {
			break
		}
		others := max(float64(e.n-1)-same, rare)
		of[e.h] = math.Min(others/n, 1)
	}
	return model.MakeTable(of, rare/n)
}
