package score

import (
	"math"
	"strconv"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/score/btyd"
	"github.com/weir-cdp/weir/pipelines/segment/score/rfm"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Scorer gives profiles their values of one score.
type Scorer struct {
	score  *score
	fitted *Fitted
	rfm    *rfm.Scorer
	cells  []rfm.Cell
	names  map[string]string // of traits, by output
	seen   map[[3]float64]lifetime
}

// Value is one trait's.
type Value struct {
	Trait string
	Value value.Value
}

// Scorer returns the scorer of a Fitted of this plan; nil where it was refused.
// It is used by one goroutine.
func (p *Plan) Scorer(f *Fitted) (*Scorer, error) {
	if f.Refused != "" {
		return nil, nil
	}
	for _, s := range p.scores {
		if s.def.Trait != f.Trait || s.def.Kind != f.Kind {
			continue
		}
		out := &Scorer{score: s, fitted: f, names: map[string]string{}, cells: s.cells(), seen: map[[3]float64]lifetime{}}
		for _, o := range weir.ScoreOutputs(f.Kind) {
			out.names[o.Name] = s.def.OutputTrait(o.Name)
		}
		var err error
		if f.Model.RFM != nil {
			out.rfm, err = f.Model.RFM.Scorer()
		}
		return out, err
	}
	return nil, weir.Errorf(weir.Internal, "a model of score %s, which there is not", f.Trait)
}

// Values returns the values of a profile's traits; unknown ones are left out.
func (s *Scorer) Values(standing *Row) []Value {
	m := &s.fitted.Model
	var out []Value
	number := func(output string, x float64, places int) {
		text := strconv.FormatFloat(round(x, places), 'f', places, 64)
		if n, ok := value.ParseNumber(text); ok {
			out = append(out, Value{s.names[output], value.OfNumber(n)})
		}
	}
	ranked := func(x float64) {
		x = round(x, 6)
		number("", x, 6)
		below := 0
		for _, cut := range m.Percentiles {
			if x >= cut {
				below++
			}
		}
		number("percentile", float64(below), 0)
	}
	switch {
	case m.CLV != nil:
		s.clv(standing, number)
	case m.RFM != nil:
		c, ok := standing.customer()
		if !ok {
			return nil
		}
		scores := s.rfm.Score(c)
		out = append(out, Value{s.names[""], value.OfText(scores.Code())}, Value{s.names["monetary"], value.OfNumber(c.Money)})
		if cell := rfm.CellOf(s.cells, scores); cell != "" {
			out = append(out, Value{s.names["cell"], value.OfText(cell)})
		}
		number("recency_days", float64(c.Recency), 0)
		number("frequency", float64(c.Frequency), 0)
		number("r", float64(scores.R), 0)
		number("f", float64(scores.F), 0)
		number("m", float64(scores.M), 0)
	case m.Propensity != nil:
		ranked(m.Propensity.Probability(standing.raw()))
	case m.Lookalike != nil:
		ranked(m.Lookalike.Similarity(standing.raw()))
	}
	return out
}

// lifetime is what depends on a history alone.
type lifetime struct{ alive, orders, discounted float64 }

func (s *Scorer) clv(standing *Row, number func(string, float64, int)) {
	m := s.fitted.Model.CLV
	h := inWeeks(standing.Numbers)
	key := [3]float64{h.Repeats, h.Last, h.Age}
	l, known := s.seen[key]
	if !known {
		l = s.lifetime(h)
		if len(s.seen) < 1<<17 { // many customers share one
			s.seen[key] = l
		}
	}
	number("probability_alive", l.alive, 6)
	number("expected_orders", l.orders, 6)
	if m.Spending == nil {
		return
	}
	each := m.Spending.Value(h.Repeats, standing.Numbers[3])
	if math.IsNaN(each) || math.IsInf(each, 0) {
		return
	}
	number("expected_value", each, 4)
	number("", l.discounted*each, 2)
}

func (s *Scorer) lifetime(h btyd.History) lifetime {
	m := s.fitted.Model.CLV.NBD
	weeks := s.score.def.Horizon.Hours() / 24 / week
	return lifetime{m.Alive(h), m.Expected(weeks, h), m.Lifetime(h, 1, weeks, month, s.score.def.Discount)}
}
