package main

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/stages"
)

// maxDefinition bounds a definition on standard input, like a file of the project.
const maxDefinition = 16 << 20

// liveFlags are those of commands that can evaluate segments here and now.
type liveFlags struct {
	live bool
	now  string
	as   string
	by   []string
	seed string
}

func (f *liveFlags) add(c *cobra.Command, command string) {
	c.Flags().BoolVar(&f.live, "live", false, "evaluate as of now, over all profiles, without a run")
	c.Flags().StringVar(&f.now, "now", "", "with --live: as of then, RFC 3339 or a date (midnight UTC)")
	c.Flags().StringVar(&f.as, "as", "unsaved", "the name of the definition on standard input: random shares without a seed go by it")
	switch command {
	case "count":
		c.Flags().StringSliceVar(&f.by, "by", nil, "with --live: sizes by the values of this attribute")
	case "preview":
		c.Flags().StringVar(&f.seed, "seed", "weir", "with --live: which members are drawn")
	}
}

// isLive tells whether a question is of now: it is said, or a definition that no run
// can have followed is among those asked about.
func (f *liveFlags) isLive(args []string) bool { return f.live || slices.Contains(args, "-") }

// ask evaluates the segments that the arguments name; sample is how many members of
// the first are shown.
func (f *liveFlags) ask(ctx context.Context, cmd *cobra.Command, pl *platform, args []string, sample int) (stages.LiveCount, error) {
	o := stages.LiveOrder{By: f.by, Sample: sample, Seed: f.seed, Now: time.Now().UTC().Truncate(time.Microsecond)}
	var err error
	if f.now != "" {
		if o.Now, err = moment("now", f.now); err != nil {
			return stages.LiveCount{}, err
		}
	}
	for _, name := range args {
		if name != "-" {
			o.Segments = append(o.Segments, name)
			continue
		}
		if o.Unsaved != nil {
			return stages.LiveCount{}, weir.Errorf(weir.Invalid, "standard input holds one definition").Then("write - once")
		}
		text, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxDefinition))
		if err != nil {
			return stages.LiveCount{}, weir.Errorf(weir.Invalid, "can't read standard input: %w", err)
		}
		def, err := pl.project.Unsaved("standard input", f.as, text)
		if err != nil {
			return stages.LiveCount{}, err
		}
		o.Unsaved = &def
		o.Segments = append(o.Segments, def.Name)
	}
	if len(o.Segments) == 0 {
		for _, s := range pl.project.Segments {
			o.Segments = append(o.Segments, s.Name)
		}
	}
	v, err := pl.house.CountLive(ctx, pl.project, o, func(p weir.Progress) {
		if p.Done == 0 {
			pl.app.sayf("weir: profiles and events are put in order of time on this machine, once for these data\n")
		}
		pl.app.sayf("weir: step %d of %d: %s\n", p.Done+1, p.Total, p.Note)
	})
	for _, w := range v.Warnings {
		pl.app.sayf("weir: warning: %s\n", w)
	}
	for _, n := range v.Notes {
		pl.app.sayf("weir: %s\n", n)
	}
	return v, err
}

func (a *app) showLive(v stages.LiveCount) error {
	if a.json {
		return a.printJSON(v)
	}
	rows := [][]string{}
	for _, s := range v.Segments {
		rows = append(rows, []string{s.Segment, count(s.Members), percent(s.Members, v.Profiles), when(v.Now)})
	}
	a.table([]string{"SEGMENT", "MEMBERS", "OF ALL", "AS OF (UTC)"}, rows)
	header, rows := []string{"ATTRIBUTE", "VALUE"}, nil
	for _, s := range v.Segments {
		header = append(header, strings.ToUpper(s.Segment))
	}
	for _, g := range v.By[:min(len(v.By), shown)] {
		value := cell(g.Value)
		if g.Value == "" {
			value = "(unknown)"
		}
		row := []string{g.Attribute, value}
		for _, n := range g.Members {
			row = append(row, count(n))
		}
		rows = append(rows, row)
	}
	a.section(strings.Join(header, "\t"), rows)
	if len(v.By) > shown {
		a.printf("and %s more values: --json\n", count(int64(len(v.By)-shown)))
	}
	return nil
}

func (a *app) showSets(v stages.LiveCount) error {
	if a.json {
		return a.printJSON(v)
	}
	var rows [][]string
	for _, s := range v.Sets {
		rows = append(rows, []string{strings.Join(s.Segments, " and "), count(s.Members), count(s.Only)})
	}
	a.table([]string{"IN", "MEMBERS", "IN NO OTHER OF THESE"}, rows)
	return nil
}

func (a *app) showSample(v stages.LiveCount) error {
	if a.json {
		return a.printJSON(v)
	}
	for _, s := range v.Segments {
		a.printf("%s: %s members as of %s; %d of them:\n", s.Segment, count(s.Members), when(v.Now), len(v.Sample))
	}
	for _, m := range v.Sample {
		a.printf("\n%s\n", m.ProfileID)
		a.showVerdict(m.Why, 0)
	}
	return nil
}
