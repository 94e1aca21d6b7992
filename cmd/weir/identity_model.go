package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/report"
	"github.com/weir-cdp/weir/stages"
	"github.com/weir-cdp/weir/workflows"
)

func (a *app) identityModel() *cobra.Command {
	var kind, html, chart string
	c := &cobra.Command{
		Use: "model", Short: "The trained model: what it compares, and what each agreement is worth",
		Long: `Shows the model that made the current links: its columns and levels with their match
weights, blocking rules, threshold, and on what it was trained. With --html it also
writes a page with charts, which needs no network; with --chart it prints one chart
as an SVG file. Neither holds a value of any record.`,
		Example: "  weir identity model\n  weir identity model --html model.html\n  weir identity model --kind account --json\n  weir identity model --chart weights > weights.svg",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				v, err := pl.house.IdentityModel(ctx, pl.project, weir.Kind(kind))
				if err != nil {
					return err
				}
				if html != "" {
					if err := writeFile(html, v.HTML); err != nil {
						return err
					}
				}
				switch {
				case chart != "":
					return v.Chart(a.out, chart)
				case a.json:
					return a.printJSON(v)
				}
				a.showModel(v)
				if html != "" {
					a.printf("\nwrote %s\n", html)
				}
				return nil
			})
		},
	}
	f := c.Flags()
	f.StringVar(&kind, "kind", string(weir.Person), "person or account")
	f.StringVar(&html, "html", "", "also write a page with charts to this file")
	f.StringVar(&chart, "chart", "", "print one chart as SVG instead: "+strings.Join(report.Charts(), ", "))
	return c
}

func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return weir.Errorf(weir.Invalid, "write the page: %w", err).Then("name a file in a folder that is there and writable")
	}
	err = write(f)
	if e := f.Close(); err == nil && e != nil {
		err = weir.Errorf(weir.Unavailable, "write the page: %w", e).At(name)
	}
	return err
}

func (a *app) showModel(v *stages.ModelView) {
	for _, n := range v.Notes {
		a.printf("note: %s\n", n)
	}
	a.printf("%s model %s, first used by run %s at %s UTC\n", v.Kind, v.Version, v.Run, when(v.At))
	a.printf("trained on %s of %s records and %s pairs", count(int64(v.Trained.Records)), count(int64(v.Trained.Total)), count(int64(v.Trained.Pairs)))
	if v.Trained.Labels > 0 {
		a.printf(", and %s of people", several(v.Trained.Labels, "answer"))
	}
	a.printf("; it expects %s pairs that are the same\n", count(int64(v.Trained.Matches)))
	a.printf("links from %.2f bits (probability %.3f); two records at random start at %.1f bits\n", v.Threshold, v.Probability, v.Prior)
	if v.Unlinkable != nil {
		a.printf("%.1f %% of records hold too little to be linked by it\n", 100**v.Unlinkable)
	}
	var rows [][]string
	for _, c := range v.Columns {
		for i, l := range c.Levels {
			row := []string{"", "", "", l.Name, fmt.Sprintf("%.4g", l.M), fmt.Sprintf("%.4g", l.U), fmt.Sprintf("%+.1f", l.Weight)}
			if i == 0 {
				row[0], row[1], row[2] = c.Name, c.Comparison, fmt.Sprintf("%.0f %%", 100*c.Complete)
			}
			rows = append(rows, row)
		}
	}
	a.section("COLUMN\tCOMPARED AS\tFILLED\tLEVEL\tM\tU\tBITS", rows)
	rows = nil
	for _, c := range v.NotCompared {
		holds := "attribute"
		if c.Identifier {
			holds = "identifier"
		}
		rows = append(rows, []string{c.Name, holds, c.Why})
	}
	a.section("NOT COMPARED\tA\tBECAUSE", rows)
	rows = nil
	for _, b := range v.Blocks {
		rows = append(rows, []string{b.Rule, strings.Join(b.Second, " + "), count(int64(b.Expected)), count(b.Counted), count(b.Lost), fmt.Sprintf("%.1f %%", 100*b.Matches), fmt.Sprintf("%.1f %%", 100*b.Added)})
	}
	if len(rows) > 0 {
		a.printf("\nLOST: pairs of blocks too big to compare. FINDS: the share of the expected matches that the rule finds; ADDS: that no rule above it does.\n")
	}
	a.section("BLOCKS BY\tBIG ONES THEN BY\tPAIRS EXPECTED\tIN THE LAST RUN\tLOST\tFINDS\tADDS", rows)
	rows = nil
	for _, k := range v.Relations {
		rows = append(rows, []string{k.Name, yes(k.Match), fmt.Sprintf("%.3g", k.Prior)})
	}
	a.section("RELATION\tA MATCH\tAMONG ALL PAIRS", rows)
	rows = nil
	for _, p := range v.Curve {
		if off := p.Threshold - v.Threshold; off >= -4 && off <= 8 && p.Threshold == float64(int(p.Threshold)) {
			rows = append(rows, []string{fmt.Sprintf("%+.0f", p.Threshold), fmt.Sprintf("%.3f", p.Probability), count(int64(p.Links)), fmt.Sprintf("%.1f %%", 100*p.Precision), fmt.Sprintf("%.1f %%", 100*p.Recall)})
		}
	}
	a.section("A THRESHOLD OF\tPROBABILITY\tWOULD LINK PAIRS\tPRECISION, AS IT EXPECTS\tRECALL", rows)
}

func (a *app) identityTrain() *cobra.Command {
	var kind string
	var agreed bool
	c := &cobra.Command{
		Use: "train", Short: "Learn the model anew, and recognise everybody by it",
		Long: `Asks for new models, then runs resolve, unify and segment. Records may move between
profiles; a profile keeps its id as always. What people answered to "weir identity
review" is learned from. "weir identity diff" shows what a changed identity.yaml
would do without doing it.`,
		Example: "  weir identity train\n  weir identity train --kind account --yes",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				kinds, err := stages.Modelled(pl.project, weir.Kind(kind))
				if err != nil {
					return err
				}
				return a.train(ctx, pl, kinds, agreed)
			})
		},
	}
	c.Flags().StringVar(&kind, "kind", "", "person or account; default: all that have a model")
	c.Flags().BoolVar(&agreed, "yes", false, "don't ask, for scripts")
	return c
}

// trained is what identity train prints with --json.
type trained struct {
	Models  []stages.LearnedModel `json:"models"`
	Views   []*stages.ModelView   `json:"views"`
	Before  []stages.MatchRate    `json:"match_rates_before"`
	After   []stages.MatchRate    `json:"match_rates_after"`
	Drift   []stages.Drift        `json:"drift"` // that the training ended
	Seconds float64               `json:"seconds"`
	Run     *workflows.Snapshot   `json:"run,omitempty"`
}

func (a *app) train(ctx context.Context, pl *platform, kinds []weir.Kind, agreed bool) error {
	var out trained
	var err error
	if out.Before, out.Drift, err = pl.house.MatchRates(ctx); err != nil {
		return err
	}
	before, err := pl.house.CurrentModels(ctx)
	if err != nil {
		return err
	}
	if !a.json {
		a.showDrift(out.Drift)
	}
	if err := a.agree("Train anew? Records may move between profiles.", agreed, weir.Errorf(weir.Invalid, "nothing was trained").Then("train with --yes")); err != nil {
		return err
	}
	for _, k := range kinds {
		if _, err := pl.house.Retrain(ctx, k, author("")); err != nil {
			return err
		}
	}
	started := time.Now()
	tell := func(s workflows.Snapshot) error {
		out.Run = &s
		if a.json {
			return nil
		}
		return a.summary(s)
	}
	now := started.UTC().Truncate(time.Microsecond)
	if err := a.refreshWithRoom(ctx, refreshing{on: pl, now: now, stages: []weir.Stage{weir.Resolve, weir.Unify, weir.Segment}, tell: tell}); err != nil && weir.CodeOf(err) != weir.Partial {
		return err
	}
	out.Seconds = time.Since(started).Seconds()
	if out.After, _, err = pl.house.MatchRates(ctx); err != nil {
		return err
	}
	if out.Models, err = pl.house.Learned(ctx, pl.project, kinds, before); err != nil {
		return err
	}
	for _, k := range kinds {
		v, err := pl.house.IdentityModel(ctx, pl.project, k)
		if weir.CodeOf(err) == weir.NotFound {
			continue // no records of this kind
		}
		if err != nil {
			return err
		}
		out.Views = append(out.Views, v)
	}
	if a.json {
		return a.printJSON(out)
	}
	a.showTrained(out)
	return nil
}

func (a *app) showTrained(out trained) {
	for _, v := range out.Views {
		a.printf("\n")
		a.showModel(v)
	}
	var rows [][]string
	for _, r := range out.After {
		if r.Source != "" {
			continue
		}
		was := ""
		for _, b := range out.Before {
			if b.Kind == r.Kind && b.Rule == r.Rule && b.Source == "" {
				was = percent(b.Matched, b.Records)
			}
		}
		rows = append(rows, []string{r.Kind, orAny(r.Rule), count(r.Records), was, percent(r.Matched, r.Records)})
	}
	a.section("KIND\tRULE\tRECORDS\tMATCHED BEFORE\tNOW", rows)
	for _, m := range out.Models {
		a.showGain(m)
	}
	a.printf("\ntrained and run in %.1f seconds\n", out.Seconds)
}

func (a *app) showGain(m stages.LearnedModel) {
	switch {
	case m.After == "":
		a.printf("\n%s: no model, for there are no records of this kind\n", m.Kind)
	case m.Before == m.After:
		a.printf("\n%s: the same model came out: %s\n", m.Kind, m.After)
	}
	g := m.Gain
	if g == nil {
		return
	}
	a.printf("\n%s: people answered about %s; the model before agrees with %s, the new one, which learned from them, with %s\n", m.Kind, several(g.Answers, "pair"), percent(int64(g.Before), int64(g.Answers)), percent(int64(g.After), int64(g.Answers)))
	if c := g.Check; c != nil && c.HeldOut > 0 {
		a.printf("of %d answers, each judged by a model that did not have it: one without any answer agrees with %s (%.2f bits off on average), one with two thirds of the others with %s (%.2f bits)\n", c.HeldOut,
			percent(int64(c.Without), int64(c.HeldOut)), c.WithoutBits, percent(int64(c.With), int64(c.HeldOut)), c.WithBits)
	}
	if g.Used == 0 {
		a.printf("(training does not fit itself to answers yet: they only judge it)\n")
	}
}

// showDrift tells what is no longer as at training.
func (a *app) showDrift(all []stages.Drift) {
	for _, d := range all {
		if d.Large {
			a.printf("drift of %s: %s; learn anew: weir identity train\n", d.Kind, d.Says)
		}
	}
}

// agree asks a person before something is done; a script has to say --yes.
func (a *app) agree(question string, agreed bool, otherwise error) error {
	if agreed {
		return nil
	}
	if a.json || !a.asks() {
		return otherwise
	}
	a.sayf("%s [y/N] ", question)
	var answer string
	if _, err := fmt.Fscanln(a.in, &answer); err != nil || (strings.ToLower(answer) != "y" && strings.ToLower(answer) != "yes") {
		return otherwise
	}
	return nil
}
