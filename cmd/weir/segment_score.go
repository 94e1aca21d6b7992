package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/score/propensity"
	"github.com/weir-cdp/weir/stages"
)

func (a *app) segmentScore() *cobra.Command {
	var html, chart string
	c := &cobra.Command{
		Use: "score [NAME…]", Short: "What the scores have learned, and how good they are",
		Long: `Shows what the last run that computed segments learned for the scores of the project
(traits with score:), with the measures of their quality. With --html it also writes a
page with charts, which needs no network; with --chart it prints one chart of it as an
SVG file: both of one score.`,
		Example: "  weir segment score\n  weir segment score clv --html clv.html\n  weir segment score churn --json\n  weir segment score churn --chart calibration > calibration.svg",
		RunE: func(cmd *cobra.Command, args []string) error {
			if (html != "" || chart != "") && len(args) != 1 {
				return weir.Errorf(weir.Invalid, "a page or chart is of one score").Then("weir segment score NAME --html FILE")
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				found, err := pl.house.Scores(ctx, pl.project, args...)
				if err != nil {
					return err
				}
				if html != "" {
					if err := writeFile(html, found[0].HTML); err != nil {
						return err
					}
				}
				switch {
				case chart != "":
					return found[0].Chart(a.out, chart)
				case a.json && len(args) == 1:
					return a.printJSON(found[0])
				case a.json:
					return a.printJSON(found)
				}
				if len(found) == 0 {
					a.printf("the project has no scores: traits/NAME.yaml with score: {clv: {…}} makes one\n")
				}
				for i := range found {
					a.showScore(&found[i])
				}
				if html != "" {
					a.printf("\nwrote %s\n", html)
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&html, "html", "", "also write a page with charts to this file")
	c.Flags().StringVar(&chart, "chart", "", "print one chart as SVG instead: check, alive, table, cells, calibration, roc, lift, features")
	return c
}

func (a *app) showScore(v *stages.ScoreView) {
	a.printf("\n%s: %s, learned by run %s as of %s UTC\n", v.Trait, v.Kind, v.Run, when(v.At))
	if v.Refused != "" {
		a.printf("  no score: %s\n", v.Refused)
	}
	a.showCLV(v)
	if m, q := v.Model.RFM, v.Quality.RFM; m != nil && q != nil {
		a.printf("  %s customers, %s in all; from score 2 up: at most %v days, at least %v orders, at least %v\n", count(q.Customers), q.Money, m.Recency, m.Frequency, m.Money)
		var rows [][]string
		for _, c := range q.Cells {
			rows = append(rows, []string{c.Name, count(c.Customers), c.Money})
		}
		a.section("CELL\tCUSTOMERS\tMONEY", rows)
	}
	if m, q := v.Model.Propensity, v.Quality.Propensity; m != nil && q != nil {
		a.printf("  by %s; learned from %s profiles, tested on %s others, of which %.1f %% did it\n", m.Method, count(int64(q.Learned)), count(int64(q.Tested)), 100*q.Rate)
		a.printf("  AUC %.3f, log-loss %.4f (%.4f without a model), Brier %.4f, calibration off by %.1f %%\n", q.AUC, q.LogLoss, q.BaseLogLoss, q.Brier, 100*q.CalibrationError)
		a.showLift(q.Lift)
		var rows [][]string
		for _, f := range q.Top[:min(len(q.Top), 10)] {
			rows = append(rows, []string{f.Name, fmt.Sprintf("%.4f", f.Worth), map[int]string{1: "more", -1: "less"}[f.Direction]})
		}
		a.section("FEATURE\tWORTH (LOG-LOSS)\tMORE OF IT: LIKELIER", rows)
	}
	if m, q := v.Model.Lookalike, v.Quality.Lookalike; m != nil && q != nil {
		a.printf("  %s members of %d kinds, %s others; %s members held out and ranked among the others: AUC %.3f\n", count(int64(q.Members)), len(m.Centres), count(int64(q.Others)), count(int64(q.HeldOut)), q.AUC)
		a.showLift(q.Lift)
		var rows [][]string
		for _, f := range q.Features[:min(len(q.Features), 10)] {
			rows = append(rows, []string{f.Name, fmt.Sprintf("%+.2f", f.Difference)})
		}
		a.section("FEATURE\tMEMBERS DIFFER BY (DEVIATIONS)", rows)
	}
}

func (a *app) showCLV(v *stages.ScoreView) {
	m, q := v.Model.CLV, v.Quality.CLV
	if m == nil || q == nil {
		return
	}
	a.printf("  BG/NBD       r %.4g, alpha %.4g weeks, a %.4g, b %.4g; %s customers, log-likelihood %.2f\n", m.NBD.R, m.NBD.Alpha, m.NBD.A, m.NBD.B, count(int64(q.NBD.Customers)), q.NBD.LogLikelihood)
	notes := append([]string{}, q.NBD.Notes...)
	if s := m.Spending; s != nil {
		a.printf("  Gamma-Gamma  p %.4g, q %.4g, gamma %.4g; %s customers, log-likelihood %.2f\n", s.P, s.Q, s.Gamma, count(int64(q.Spending.Customers)), q.Spending.LogLikelihood)
		notes = append(notes, q.Spending.Notes...)
	}
	for _, n := range append(notes, q.Notes...) {
		a.printf("  note: %s\n", n)
	}
	c := q.Check
	if c == nil {
		a.printf("  too little was known at the cut-off to check how well it foretells\n")
		return
	}
	a.printf("  check: fitted to what was known at %s, it expects %.0f purchases in %g days; %.0f came. By customer off by %.3f (RMSE %.3f; own rate: %.3f)\n",
		when(c.Until), c.Expected, c.Days, c.Actual, c.MAE, c.RMSE, c.NaiveMAE)
	var rows [][]string
	for i, g := range c.By {
		label := fmt.Sprint(g.Repeats)
		if i == len(c.By)-1 {
			label += " or more"
		}
		rows = append(rows, []string{label, count(int64(g.Customers)), fmt.Sprintf("%.3f", g.Expected), fmt.Sprintf("%.3f", g.Actual)})
	}
	a.section("REPEATS BEFORE\tCUSTOMERS\tEXPECTED EACH\tBOUGHT EACH", rows)
}

func (a *app) showLift(ls []propensity.Lift) {
	var parts []string
	for _, l := range ls {
		parts = append(parts, fmt.Sprintf("first %g %%: %.1f times chance", 100*l.Share, l.Lift))
	}
	a.printf("  lift: %s\n", strings.Join(parts, ", "))
}
