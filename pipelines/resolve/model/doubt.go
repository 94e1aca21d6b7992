package model

import (
	"math"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
)

// Doubt is what a pair below the threshold says against two records that others
// connect: log2 of how much likelier its levels are for one person than for two,
// 0 where they are not less likely.
//
// Score's prior holds for any two records. These two were connected by values
// that they share with others, so neither the prior nor how rare relatives are
// among all pairs says anything here: it is left out, and the ways to be two
// people weigh the same. So a record that holds little doubts nothing, and
// relatives, who agree on much, are still told apart by their given names.
func (m *Model) Doubt(a, b *Features) float64 {
	var l Levels
	m.Compare(a, b, &l)
	var match, prior, other, ways float64
	for k := range m.classes {
		c := &m.classes[k]
		p := m.likelihood(c, &l)
		if c.match {
			match, prior = match+c.prior*p, prior+c.prior
		} else {
			other, ways = other+p, ways+1
		}
	}
	if match == 0 && other == 0 || prior == 0 || ways == 0 {
		return 0
	}
	return min(max(math.Log2(match/prior)-math.Log2(other/ways), -limit), 0)
}

// likelihood of a pair's levels in a class of pairs.
func (m *Model) likelihood(c *class, l *Levels) float64 {
	p := 1.0
	for i := range m.columns {
		if v := l.Of[i]; v != compare.Missing {
			p *= c.shared[i]*m.columns[i].m[v] + (1-c.shared[i])*l.U[i]
		}
	}
	return p
}
