package rfm

import (
	"cmp"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// MaxQuantiles bounds the number of scores: a digit for each in the code.
const MaxQuantiles = 9

// Customer is what is ranked of one.
type Customer struct {
	Recency   int64 // days since the last purchase
	Frequency int64
	Money     value.Number
}

// Scores are a customer's three, each from 1 to the number of quantiles.
type Scores struct{ R, F, M int }

// Code writes the scores as three digits: 545.
func (s Scores) Code() string {
	return string([]byte{'0' + byte(s.R), '0' + byte(s.F), '0' + byte(s.M)})
}

// Cuts scores customers. Entry i of a list is the worst measure with a score of
// i+2 or more; lists may end early, where nobody has the higher scores.
type Cuts struct {
	Quantiles int      `json:"quantiles"`
	Customers int64    `json:"customers"`
	Recency   []int64  `json:"recency"` // at most so many days
	Frequency []int64  `json:"frequency"`
	Money     []string `json:"money"` // decimals
}

// Distribution counts customers by each measure.
type Distribution struct {
	n         int64
	recency   map[int64]int64
	frequency map[int64]int64
	money     []value.Number
}

// Add counts a customer.
func (d *Distribution) Add(c Customer) {
	if d.recency == nil {
		d.recency, d.frequency = map[int64]int64{}, map[int64]int64{}
	}
	d.n++
	d.recency[-c.Recency]++ // more is better
	d.frequency[c.Frequency]++
	d.money = append(d.money, c.Money)
}

// Cut finds where scores begin.
func (d *Distribution) Cut(quantiles int) (Cuts, error) {
	if quantiles < 2 || quantiles > MaxQuantiles {
		return Cuts{}, weir.Errorf(weir.Invalid, "quantiles: %d is not from 2 to %d", quantiles, MaxQuantiles)
	}
	c := Cuts{Quantiles: quantiles, Customers: d.n}
	if d.n == 0 {
		return c, nil
	}
	slices.SortFunc(d.money, value.Number.Compare)
	for _, r := range cuts(counts(d.recency), d.n, quantiles) {
		c.Recency = append(c.Recency, -r)
	}
	c.Frequency = cuts(counts(d.frequency), d.n, quantiles)
	var money []counted[value.Number]
	for i, m := range d.money {
		if i > 0 && d.money[i-1].Compare(m) == 0 {
			money[len(money)-1].n++
			continue
		}
		money = append(money, counted[value.Number]{m, 1})
	}
	for _, m := range cuts(money, d.n, quantiles) {
		c.Money = append(c.Money, m.String())
	}
	return c, nil
}

type counted[T any] struct {
	value T
	n     int64
}

func counts(m map[int64]int64) []counted[int64] {
	out := make([]counted[int64], 0, len(m))
	for v, n := range m {
		out = append(out, counted[int64]{v, n})
	}
	slices.SortFunc(out, func(a, b counted[int64]) int { return cmp.Compare(a.value, b.value) })
	return out
}

// cuts takes values in order, the worst first.
func cuts[T any](sorted []counted[T], n int64, quantiles int) []T {
	var out []T
	var less int64
	for _, v := range sorted {
		for score := 1 + less*int64(quantiles)/n; int64(len(out))+1 < score; {
			out = append(out, v.value)
		}
		less += v.n
	}
	return out
}

// Scorer is Cuts, ready to use.
type Scorer struct {
	cuts  Cuts
	money []value.Number
}

// Scorer reads the cuts.
func (c Cuts) Scorer() (*Scorer, error) {
	s := &Scorer{cuts: c}
	for _, text := range c.Money {
		n, ok := value.ParseNumber(text)
		if !ok {
			return nil, weir.Errorf(weir.Internal, "a cut of money is no decimal")
		}
		s.money = append(s.money, n)
	}
	return s, nil
}

// Score returns a customer's scores.
func (s *Scorer) Score(c Customer) Scores {
	out := Scores{1, 1, 1}
	for i, cut := range s.cuts.Recency {
		if c.Recency <= cut {
			out.R = i + 2
		}
	}
	for i, cut := range s.cuts.Frequency {
		if c.Frequency >= cut {
			out.F = i + 2
		}
	}
	for i, cut := range s.money {
		if c.Money.Compare(cut) >= 0 {
			out.M = i + 2
		}
	}
	return out
}
