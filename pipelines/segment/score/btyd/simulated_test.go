package btyd_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/score/btyd"
)

// simulate lives the model's story for n customers and counts what they buy
// after the end of observation, too.
func simulate(m btyd.NBD, n int, longest, later float64, seed uint64) (hs []btyd.Counted, after []float64) {
	src := rand.NewPCG(seed, seed)
	rng := rand.New(src)
	for range n {
		lambda := distuv.Gamma{Alpha: m.R, Beta: m.Alpha, Src: src}.Rand()
		p := distuv.Beta{Alpha: m.A, Beta: m.B, Src: src}.Rand()
		h := btyd.History{Age: longest * (0.3 + 0.7*rng.Float64())}
		bought := 0.0
		for at := rng.ExpFloat64() / lambda; at < h.Age+later; at += rng.ExpFloat64() / lambda {
			if at <= h.Age {
				h.Repeats, h.Last = h.Repeats+1, at
			} else {
				bought++
			}
			if rng.Float64() < p {
				break
			}
		}
		hs, after = append(hs, btyd.Counted{History: h, Customers: 1}), append(after, bought)
	}
	return hs, after
}

func TestKnownParametersAreFound(t *testing.T) {
	for i, want := range []btyd.NBD{{R: 0.24, Alpha: 4.4, A: 0.8, B: 2.4}, {R: 1.2, Alpha: 60, A: 1.5, B: 4}, {R: 3, Alpha: 400, A: 0.5, B: 3}} {
		longest := want.Alpha / want.R * 12
		hs, after := simulate(want, 15_000, longest, longest/2, uint64(i)+7)
		m, q, err := btyd.FitNBD(hs)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v found %+v %v", want, m, q.Notes)
		near(t, "r", m.R, want.R, 0.08)
		near(t, "alpha", m.Alpha, want.Alpha, 0.1)
		near(t, "a/(a+b)", m.A/(m.A+m.B), want.A/(want.A+want.B), 0.05)
		near(t, "a", m.A, want.A, 0.2)
		if truth := want.LogLikelihood(hs); q.LogLikelihood < truth {
			t.Errorf("the fit is less likely (%f) than the truth (%f)", q.LogLikelihood, truth)
		}
		var expected, actual float64
		for k, h := range hs {
			expected += m.Expected(longest/2, h.History)
			actual += after[k]
		}
		near(t, "purchases afterwards", expected, actual, 0.03)
	}
}

func TestKnownSpendingIsFound(t *testing.T) {
	src := rand.NewPCG(5, 5)
	rng := rand.New(src)
	want := btyd.GammaGamma{P: 4, Q: 3, Gamma: 40}
	var ss []btyd.Spend
	for range 20_000 {
		nu := distuv.Gamma{Alpha: want.Q, Beta: want.Gamma, Src: src}.Rand()
		x := float64(1 + rng.IntN(12))
		ss = append(ss, btyd.Spend{Repeats: x, Mean: distuv.Gamma{Alpha: want.P * x, Beta: nu * x, Src: src}.Rand(), Customers: 1})
	}
	m, q, err := btyd.FitGammaGamma(ss)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v %+v", m, q)
	near(t, "p", m.P, want.P, 0.1)
	near(t, "q", m.Q, want.Q, 0.05)
	near(t, "gamma", m.Gamma, want.Gamma, 0.1)
	near(t, "a new customer's value", m.Value(0, 0), want.Value(0, 0), 0.02)
	near(t, "the value after 5 of 100", m.Value(5, 100), want.Value(5, 100), 0.02)
	cents := make([]btyd.Spend, len(ss))
	for i, s := range ss {
		cents[i] = btyd.Spend{Repeats: s.Repeats, Mean: 100 * s.Mean, Customers: 1}
	}
	c, _, err := btyd.FitGammaGamma(cents)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "value in cents", c.Value(3, 2500), 100*m.Value(3, 25), 1e-5)
}

func TestDataThatTellNothingAreRefused(t *testing.T) {
	for name, hs := range map[string][]btyd.Counted{
		"nobody":              nil,
		"one-time buyers":     {{History: btyd.History{Age: 10}, Customers: 5000}, {History: btyd.History{Age: 20}, Customers: 3000}},
		"one repeater":        {{History: btyd.History{Age: 10}, Customers: 5000}, {History: btyd.History{Repeats: 1, Last: 2, Age: 20}, Customers: 1}},
		"no time":             {{History: btyd.History{Repeats: 1}, Customers: 9}},
		"the future":          {{History: btyd.History{Repeats: 1, Last: 3, Age: 2}, Customers: 9}},
		"not a number":        {{History: btyd.History{Repeats: 1, Last: 1, Age: math.NaN()}, Customers: 9}},
		"half a purchase":     {{History: btyd.History{Repeats: 1.5, Last: 1, Age: 2}, Customers: 9}},
		"less than nothing":   {{History: btyd.History{Repeats: 1, Last: -1, Age: 2}, Customers: 9}},
		"nobody has it":       {{History: btyd.History{Repeats: 1, Last: 1, Age: 2}, Customers: 0}},
		"a last without any":  {{History: btyd.History{Last: 1, Age: 2}, Customers: 9}},
		"infinite customers":  {{History: btyd.History{Repeats: 1, Last: 1, Age: 2}, Customers: math.Inf(1)}},
		"infinitely long ago": {{History: btyd.History{Repeats: 1, Last: 1, Age: math.Inf(1)}, Customers: 1}},
	} {
		if m, _, err := btyd.FitNBD(hs); weir.CodeOf(err) != weir.Invalid {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	for name, ss := range map[string][]btyd.Spend{
		"nobody":   nil,
		"all free": {{Repeats: 3, Mean: 0, Customers: 50}, {Repeats: 3, Mean: -4, Customers: 50}},
		"one mean": {{Repeats: 3, Mean: 5, Customers: 50}, {Repeats: 2, Mean: 5, Customers: 50}},
	} {
		if m, _, err := btyd.FitGammaGamma(ss); weir.CodeOf(err) != weir.Invalid {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

// Small populations of any kind: refused, or scored with sense; never a panic.
func TestSmallPopulations(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	refused := 0
	for range 80 {
		var hs []btyd.Counted
		var ss []btyd.Spend
		span := math.Exp(12 * rng.Float64())
		for range 1 + rng.IntN(30) {
			h := btyd.History{Age: math.Floor(span * rng.Float64())}
			if rng.IntN(3) > 0 && h.Age > 0 {
				h.Repeats = math.Floor(math.Exp(rng.Float64() * 6 * rng.Float64()))
				h.Last = math.Floor(h.Age * rng.Float64())
			}
			hs = append(hs, btyd.Counted{History: h, Customers: 1})
			ss = append(ss, btyd.Spend{Repeats: h.Repeats, Mean: math.Exp(20*rng.Float64() - 8), Customers: 1})
		}
		m, q, err := btyd.FitNBD(hs)
		if err != nil {
			if weir.CodeOf(err) != weir.Invalid {
				t.Fatal(err)
			}
			refused++
			continue
		}
		g, gq, gerr := btyd.FitGammaGamma(ss)
		if math.IsNaN(q.LogLikelihood) || math.IsInf(q.LogLikelihood, 0) || math.IsNaN(gq.LogLikelihood) || math.IsInf(gq.LogLikelihood, 0) {
			t.Fatalf("%+v %+v %+v %+v of %v", m, q, g, gq, hs)
		}
		for i, h := range hs {
			alive, orders := m.Alive(h.History), m.Expected(span, h.History)
			if !(alive >= 0 && alive <= 1) || !(orders >= 0) || math.IsInf(orders, 0) {
				t.Fatalf("%+v of %v: alive %g, orders %g", m, h, alive, orders)
			}
			if v := g.Value(h.Repeats, ss[i].Mean); gerr == nil && !(v >= 0) {
				t.Fatalf("%+v: value %g", g, v)
			}
		}
	}
	t.Logf("%d refused", refused)
}

// Odd populations: no answer may be without sense, whatever the fit.
func TestOddPopulationsAreScored(t *testing.T) {
	for name, hs := range map[string][]btyd.Counted{
		"everybody alike":     {{History: btyd.History{Repeats: 4, Last: 8, Age: 10}, Customers: 500}},
		"always active":       {{History: btyd.History{Repeats: 9, Last: 10, Age: 10}, Customers: 300}, {History: btyd.History{Repeats: 10, Last: 10, Age: 10}, Customers: 300}},
		"left long ago":       {{History: btyd.History{Repeats: 9, Last: 1, Age: 1000}, Customers: 300}, {History: btyd.History{Repeats: 7, Last: 2, Age: 1000}, Customers: 300}},
		"two came back":       {{History: btyd.History{Age: 10}, Customers: 100000}, {History: btyd.History{Repeats: 1, Last: 2, Age: 20}, Customers: 2}},
		"a machine among men": {{History: btyd.History{Age: 10}, Customers: 1000}, {History: btyd.History{Repeats: 2, Last: 7, Age: 12}, Customers: 500}, {History: btyd.History{Repeats: 36000, Last: 36000, Age: 36500}, Customers: 1}},
	} {
		m, q, err := btyd.FitNBD(hs)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Logf("%s: %+v %v", name, m, q.Notes)
		for _, h := range hs {
			alive, orders := m.Alive(h.History), m.Expected(52, h.History)
			if !(alive >= 0 && alive <= 1) || !(orders >= 0) || math.IsInf(orders, 0) {
				t.Errorf("%s: %+v: alive %g, orders %g", name, h, alive, orders)
			}
		}
	}
}
