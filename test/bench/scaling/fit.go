package scaling

import "math"

// Cost is a cost that grows with records and with events: Fixed + Record × millions
// of records + Event × millions of events.
type Cost struct{ Fixed, Record, Event float64 }

// Of is the cost of so many millions.
func (c Cost) Of(records, events float64) float64 {
	return c.Fixed + c.Record*records + c.Event*events
}

// Point is a cost at one size, in millions of rows.
type Point struct{ Records, Events, Cost float64 }

// Fit finds the cost that fits the points best by least squares of relative errors,
// among those with no negative part: nothing gets cheaper with more rows. It tries
// each choice of parts that are zero, which is exact for three parts
// (C. L. Lawson, R. J. Hanson, Solving Least Squares Problems, 1974, chapter 23).
func Fit(points []Point) Cost {
	var most float64
	for _, p := range points {
		most = max(most, p.Cost)
	}
	if most == 0 {
		return Cost{}
	}
	scaled := make([]Point, len(points)) // so that bytes and seconds are as exact
	for i, p := range points {
		scaled[i] = Point{p.Records, p.Events, p.Cost / most}
	}
	c := fit(scaled)
	return Cost{c.Fixed * most, c.Record * most, c.Event * most}
}

func fit(points []Point) Cost {
	best, least := Cost{}, math.Inf(1)
	for use := 1; use < 8; use++ {
		c, ok := solve(points, use)
		if !ok || c.Fixed < 0 || c.Record < 0 || c.Event < 0 {
			continue
		}
		var off float64
		for _, p := range points {
			off += square((c.Of(p.Records, p.Events) - p.Cost) / weight(p))
		}
		if off < least*(1-1e-9)-1e-12 || math.IsInf(least, 1) {
			best, least = c, off
		}
	}
	return best
}

func square(v float64) float64 { return v * v }

func weight(p Point) float64 { return max(p.Cost, 1e-3) }

// solve fits the parts in use by the normal equations.
func solve(points []Point, use int) (Cost, bool) {
	var a [3][4]float64
	for _, p := range points {
		row := [3]float64{1, p.Records, p.Events}
		for i := range 3 {
			for j := range 3 {
				a[i][j] += row[i] * row[j] / square(weight(p))
			}
			a[i][3] += row[i] * p.Cost / square(weight(p))
		}
	}
	for i := range 3 {
		if use&(1<<i) == 0 {
			for j := range 3 {
				a[i][j], a[j][i] = 0, 0
			}
			a[i][i], a[i][3] = 1, 0
		}
	}
	for i := range 3 { // Gauss with pivots
		p := i
		for r := i + 1; r < 3; r++ {
			if math.Abs(a[r][i]) > math.Abs(a[p][i]) {
				p = r
			}
		}
		if math.Abs(a[p][i]) < 1e-12 {
			return Cost{}, false
		}
		a[i], a[p] = a[p], a[i]
		for r := range 3 {
			if r == i {
				continue
			}
			f := a[r][i] / a[i][i]
			for c := i; c < 4; c++ {
				a[r][c] -= f * a[i][c]
			}
		}
	}
	return Cost{a[0][3] / a[0][0], a[1][3] / a[1][1], a[2][3] / a[2][2]}, true
}

// Growth is the exponent by which a cost grew with the rows between two sizes: 0 is
// constant, 1 linear, 2 quadratic.
func Growth(small, large, rowsSmall, rowsLarge float64) float64 {
	if small <= 0 || large <= 0 || rowsSmall <= 0 || rowsLarge <= rowsSmall {
		return 0
	}
	return math.Log(large/small) / math.Log(rowsLarge/rowsSmall)
}
