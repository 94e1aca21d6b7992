package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/weir-cdp/weir/pipelines/segment/score/btyd"
	"github.com/weir-cdp/weir/pipelines/segment/score/feature"
	"github.com/weir-cdp/weir/pipelines/segment/score/propensity"
)

// scores: what it takes to fit the models of scores, which one task of a run does
// on one processor. The goal for clv is 100,000 customers in 30 s; their histories
// are simulated, in days, over two years (many are equal) and, as the worst case,
// to the second (none are). Scoring tells of all of them P(alive), expected
// purchases and the worth of a year.
func (b *bench) scores(ctx context.Context) error {
	customers := max(1000, int(1_000_000*b.scale))
	for round := 1; round <= b.rounds; round++ {
		for _, arm := range []struct {
			name string
			day  float64
		}{{"days", 1}, {"seconds", 1.0 / 86400}} {
			if err := b.clv(arm.name, buyers(customers, arm.day, uint64(round)), round); err != nil {
				return err
			}
		}
		for _, method := range []propensity.Method{propensity.LogisticMethod, propensity.TreesMethod} {
			if err := b.propensity(method, customers, round); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// timed measures f in this process.
func (b *bench) timed(name, arm string, rows, round int, f func() error) error {
	before, started := ownCPU(), time.Now()
	if err := f(); err != nil {
		return fmt.Errorf("%s, %s: %w", name, arm, err)
	}
	return b.report.add(measure{Name: name, Peer: arm, WallS: time.Since(started).Seconds(), CPUS: (ownCPU() - before).Seconds(), Rows: int64(rows), Round: round})
}

func (b *bench) clv(arm string, hs []btyd.Counted, round int) error {
	var m btyd.NBD
	if err := b.timed("score_clv_fit", arm, len(hs), round, func() (err error) {
		var q btyd.Quality
		m, q, err = btyd.FitNBD(hs)
		if round == 1 {
			b.report.notef("score_clv_fit, %s: %d customers of %d different histories; true r 0.4, alpha 40, a 0.7, b 2.5, found %.4g, %.4g, %.4g, %.4g",
				arm, len(hs), q.Histories, m.R, m.Alpha, m.A, m.B)
		}
		return err
	}); err != nil {
		return err
	}
	return b.timed("score_clv_customers", arm, len(hs), round, func() error {
		var sum float64
		for _, h := range hs {
			sum += m.Alive(h.History) + m.Expected(365, h.History) + m.Lifetime(h.History, 20, 365, 365.25/12, 0.01)
		}
		if math.IsNaN(sum) {
			return fmt.Errorf("a customer is worth no number")
		}
		return nil
	})
}

// buyers lives the BG/NBD model's story, in days cut to whole ones of `day`.
func buyers(n int, day float64, seed uint64) []btyd.Counted {
	src := rand.NewPCG(seed, 6)
	rng := rand.New(src)
	cut := func(x float64) float64 { return math.Floor(x/day) * day }
	out := make([]btyd.Counted, n)
	for i := range out {
		rate, leaves := distuv.Gamma{Alpha: 0.4, Beta: 40, Src: src}.Rand(), distuv.Beta{Alpha: 0.7, Beta: 2.5, Src: src}.Rand()
		h := btyd.History{Age: cut(730 * rng.Float64())}
		for at := rng.ExpFloat64() / rate; at <= h.Age; at += rng.ExpFloat64() / rate {
			if t := cut(at); t > h.Last { // purchases of one day are one
				h.Repeats, h.Last = h.Repeats+1, t
			}
			if rng.Float64() < leaves {
				break
			}
		}
		out[i] = btyd.Counted{History: h, Customers: 1}
	}
	return out
}

func (b *bench) propensity(method propensity.Method, n, round int) error {
	rng := rand.New(rand.NewPCG(uint64(round), 8))
	s := feature.Schema{Numbers: []string{"a", "b", "c", "d", "e", "f", "g", "h"}, Texts: []string{"country"}}
	xs := make([]propensity.Example, n)
	for i := range xs {
		raw := feature.Raw{Texts: []string{[]string{"FR", "DE", "BE", "US"}[rng.IntN(4)]}}
		for range s.Numbers {
			raw.Numbers = append(raw.Numbers, math.Floor(rng.ExpFloat64()*20))
		}
		z := -3 + math.Asinh(raw.Numbers[0]) - 0.02*raw.Numbers[1]
		xs[i] = propensity.Example{Profile: fmt.Sprint("p", i), Raw: raw, Did: rng.Float64() < 1/(1+math.Exp(-z))}
	}
	return b.timed("score_propensity_fit", string(method), n, round, func() error {
		_, q, err := propensity.Learn(s, xs, method, 1)
		if err == nil && round == 1 {
			b.report.notef("score_propensity_fit, %s: AUC %.3f, log-loss %.4f (%.4f without a model)", method, q.AUC, q.LogLoss, q.BaseLogLoss)
		}
		return err
	})
}
