package btyd_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/weir-cdp/weir/pipelines/segment/score/btyd"
)

// oracle computes likelihood, P(alive) and expectation from the model's story by
// nested integrals over the customers' λ and p, sharing no formula with the
// package.
type oracle struct{ stayed, left, future float64 }

func integrate(m btyd.NBD, h btyd.History, t float64) oracle {
	x := h.Repeats
	// p by its logit, λ by its logarithm.
	ps := nodes(-38/m.A, 38/math.Min(m.B, 38), func(u float64) (float64, float64) {
		v := 1 / (1 + math.Exp(-u))
		if v <= 0 || v >= 1 {
			return 0.5, 0
		}
		return v, distuv.Beta{Alpha: m.A, Beta: m.B}.Prob(v) * v * (1 - v)
	})
	ls := nodes(math.Log(1e-15/m.Alpha)/math.Min(m.R, 1), math.Log((m.R+x+60)/m.Alpha)+1.5, func(u float64) (float64, float64) {
		l := math.Exp(u)
		return l, distuv.Gamma{Alpha: m.R, Beta: m.Alpha}.Prob(l) * l * math.Pow(l, x)
	})
	over := func(ns []node, f func(v float64) float64) (sum float64) {
		for _, n := range ns {
			sum += n.weight * f(n.at)
		}
		return sum
	}
	var o oracle
	o.stayed = over(ps, func(p float64) float64 { return math.Pow(1-p, x) }) * over(ls, func(l float64) float64 { return math.Exp(-l * h.Age) })
	if x > 0 {
		o.left = over(ps, func(p float64) float64 { return p * math.Pow(1-p, x-1) }) * over(ls, func(l float64) float64 { return math.Exp(-l * h.Last) })
	}
	for i := range ls {
		ls[i].weight *= math.Exp(-ls[i].at * h.Age)
	}
	o.future = over(ps, func(p float64) float64 {
		return math.Pow(1-p, x) / p * over(ls, func(l float64) float64 { return -math.Expm1(-l * p * t) })
	})
	return o
}

// node is one of a quadrature, with the density in its weight.
type node struct{ at, weight float64 }

// nodes are those of Gauss-Legendre in pieces, so that no peak is missed; f gives
// the value at u and its density.
func nodes(from, to float64, f func(u float64) (at, density float64)) []node {
	const pieces, points = 64, 14
	var out []node
	width := (to - from) / pieces
	us, weights := make([]float64, points), make([]float64, points)
	for i := range pieces {
		quad.Legendre{}.FixedLocations(us, weights, from+float64(i)*width, from+float64(i+1)*width)
		for k, u := range us {
			at, density := f(u)
			out = append(out, node{at, density * weights[k]})
		}
	}
	return out
}

func TestAgainstIntegralsOfTheModelsStory(t *testing.T) {
	models := []btyd.NBD{{R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426}, {R: 1.4, Alpha: 20, A: 1, B: 3}, {R: 2.5, Alpha: 9, A: 1.000001, B: 0.8}, {R: 0.8, Alpha: 3, A: 0.4, B: 0.6}, {R: 5, Alpha: 50, A: 3.2, B: 7.7}}
	for _, m := range models {
		for _, h := range []btyd.History{{Age: 20}, {Repeats: 1, Last: 3, Age: 30}, {Repeats: 2, Last: 30.43, Age: 38.86}, {Repeats: 11, Last: 27, Age: 33}} {
			o := integrate(m, h, 39)
			what := fmt.Sprintf("%+v %+v", m, h)
			near(t, "likelihood of "+what, m.LogLikelihood([]btyd.Counted{{History: h, Customers: 1}}), math.Log(o.stayed+o.left), 1e-5)
			near(t, "alive of "+what, m.Alive(h), o.stayed/(o.stayed+o.left), 1e-5)
			near(t, "expected of "+what, m.Expected(39, h), o.future/(o.stayed+o.left), 1e-5)
		}
	}
}

// Extreme parameters and histories: the expectation stays finite, grows with the
// time and is no more than it would be if nobody dropped out.
func TestExpectationsOfExtremes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		size := func(lo, hi float64) float64 { return math.Exp(lo + (hi-lo)*rng.Float64()) }
		m := btyd.NBD{R: size(-5, 7), Alpha: size(-4, 9), A: size(-7, 8), B: size(-5, 10)}
		h := btyd.History{Age: size(-2, 8)}
		if rng.IntN(3) > 0 {
			h.Repeats = math.Floor(size(0, 8.5))
			h.Last = h.Age * rng.Float64()
		}
		before := 0.0
		for _, years := range []float64{0.01, 1, 40, 1000, 1e6} {
			got := m.Expected(years, h)
			most := m.Alive(h) * (m.R + h.Repeats) / (m.Alpha + h.Age) * years
			if !(got >= before*(1-1e-7)-1e-12) || got > most*(1+1e-7) || math.IsInf(got, 0) {
				t.Fatalf("%+v %+v in %g: %g, after %g, at most %g", m, h, years, got, before, most)
			}
			before = got
		}
	}
}

func TestLifetimeDiscounts(t *testing.T) {
	m := btyd.NBD{R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426}
	h := btyd.History{Repeats: 2, Last: 30.43, Age: 38.86}
	near(t, "no discount", m.Lifetime(h, 20, 39, 365.25/12/7, 0), 20*m.Expected(39, h), 1e-12)
	got := m.Lifetime(h, 20, 10, 4, 0.01)
	want := 20 * (m.Expected(4, h)/1.01 + (m.Expected(8, h)-m.Expected(4, h))/1.01/1.01 + (m.Expected(10, h)-m.Expected(8, h))/1.01/1.01/1.01)
	near(t, "three months, the last one short", got, want, 1e-12)
}
