package stages

import (
	"context"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	resolver "github.com/weir-cdp/weir/pipelines/resolve"
	"github.com/weir-cdp/weir/pipelines/resolve/drift"
)

// This file reads identity.runs: what the last run made of the records, and how
// far they are from those that its models were trained on.

// Drift is one thing that a model froze, then and now.
type Drift struct {
	Kind weir.Kind `json:"kind"`
	drift.Figure
	Large bool   `json:"large"`
	Says  string `json:"says"`
}

// lastFigures reads the figures of the latest run that has such measures, of all
// sources together: increments measure no drift.
func (q *asking) lastFigures(ctx context.Context, measures string) ([]weir.IdentityFigure, error) {
	return list[weir.IdentityFigure](ctx, q, "identity.runs",
		`where source = '' and run_id = (select run_id from identity.runs where starts_with(measure, ?) order by "at" desc, run_id desc limit 1) order by kind, rule, measure`, measures)
}

// drift tells how far the last run's records drifted, the large things first.
func (q *asking) drift(ctx context.Context) ([]Drift, error) {
	rows, err := q.lastFigures(ctx, "drift_")
	if err != nil {
		return nil, err
	}
	out := []Drift{}
	at := map[string]int{}
	for _, f := range rows {
		unit, now, level := 0.0, false, false
		switch f.Measure {
		case resolver.DriftFilledThen, resolver.DriftFilledNow:
			unit, now = resolver.DriftFilledUnit, f.Measure == resolver.DriftFilledNow
		case resolver.DriftLevelThen, resolver.DriftLevelNow:
			unit, now, level = resolver.DriftLevelUnit, f.Measure == resolver.DriftLevelNow, true
		default:
			continue
		}
		key := f.Kind + "\x00" + f.Rule
		if level {
			key += "\x00level"
		}
		i, known := at[key]
		if !known {
			i = len(out)
			at[key] = i
			d := Drift{Kind: weir.Kind(f.Kind), Figure: drift.Figure{Column: f.Rule}}
			if level {
				d.Column, d.Level, _ = strings.Cut(f.Rule, resolver.DriftLevelOf)
			}
			out = append(out, d)
		}
		if now {
			out[i].Now = float64(f.Figure) / unit
		} else {
			out[i].Then = float64(f.Figure) / unit
		}
	}
	for i := range out {
		out[i].Large, out[i].Says = out[i].Figure.Large(), out[i].Figure.String()
	}
	slices.SortStableFunc(out, func(a, b Drift) int {
		switch {
		case a.Large == b.Large:
			return 0
		case a.Large:
			return -1
		}
		return 1
	})
	return out, nil
}

// MatchRates tells the match rates of the last run of resolve, and what drifted.
func (h *House) MatchRates(ctx context.Context) ([]MatchRate, []Drift, error) {
	q, err := h.ask(ctx, "identity.runs")
	if err != nil {
		return nil, nil, err
	}
	defer q.close()
	rows, err := q.lastFigures(ctx, "")
	if err != nil {
		return nil, nil, err
	}
	var r IdentityReport
	r.rates(rows)
	drifted, err := q.drift(ctx)
	return r.Rates, drifted, err
}
