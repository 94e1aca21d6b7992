package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/explain"
)

func (a *app) segmentCommand() *cobra.Command {
	return group("segment", "Show, count, preview and explain segments",
		"  weir segment count\n  weir segment explain vip email:jo@example.org\n  weir segment preview --live vip",
		a.segmentShow(), a.segmentCount(), a.segmentPreview(), a.segmentExplain(), a.segmentOverlap(), a.segmentScore())
}

func (a *app) segmentShow() *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "A segment's rule in plain English, and the traits it reads", Example: "  weir segment show vip", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.load()
			if err != nil {
				return err
			}
			def, ok := p.Segment(args[0])
			if !ok {
				names := make([]string, len(p.Segments))
				for i, s := range p.Segments {
					names[i] = s.Name
				}
				return weir.Errorf(weir.NotFound, "there is no segment %q", args[0]).Then("the project has: " + strings.Join(names, ", "))
			}
			lines := explain.Print(def, p.Traits)
			if a.json {
				return a.printJSON(lines)
			}
			for _, l := range lines {
				a.printf("%s%s\n", strings.Repeat("  ", l.Depth), l.Text)
			}
			return nil
		},
	}
}

func (a *app) segmentCount() *cobra.Command {
	var f liveFlags
	c := &cobra.Command{
		Use: "count [NAME…|-]", Short: "How many belong to a segment now",
		Long: `Counts the members of the last run that computed segments. A definition that changed
since is marked: weir run segment computes it.

With --live, or with - for a definition on standard input that is in no file yet, the
rule is evaluated here and now over all profiles, exactly as a run would, and nothing
is written. The first time after new data this machine keeps profiles and events in
order of time, which takes a while; then an answer takes seconds.`,
		Example: "  weir segment count\n  weir segment count vip\n  weir segment count --live vip --by country\n  echo 'where: {attribute: country, is: FR}' | weir segment count -",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				if f.isLive(args) {
					v, err := f.ask(ctx, cmd, pl, args, 0)
					if err != nil {
						return err
					}
					return a.showLive(v)
				}
				if len(f.by) > 0 || f.now != "" {
					return weir.Errorf(weir.Invalid, "--by and --now are of a live count").Then("add --live")
				}
				found, err := pl.house.CountSegments(ctx, pl.project, args...)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(found)
				}
				var rows [][]string
				for _, c := range found {
					note := ""
					if c.Stale {
						note = "the definition is newer: weir run segment, or --live"
					}
					rows = append(rows, []string{c.Segment, count(c.Members), when(c.AsOf), note})
				}
				a.table([]string{"SEGMENT", "MEMBERS", "AS OF (UTC)", "NOTE"}, rows)
				return nil
			})
		},
	}
	f.add(c, "count")
	return c
}

func (a *app) segmentPreview() *cobra.Command {
	var limit int
	var f liveFlags
	c := &cobra.Command{
		Use: "preview NAME|-", Short: "Some members, with the values that the rule reads", Args: cobra.ExactArgs(1),
		Long: `Shows the first members by profile id, as the last run wrote them. With --live, or with
- for a definition on standard input: some members drawn by --seed, as of now, with
masked values, and why each is in.`,
		Example: "  weir segment preview vip --limit 5\n  weir segment preview --live vip --limit 3 --seed monday\n  weir segment preview - < segments/draft.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 || limit > shown {
				return weir.Errorf(weir.Invalid, "--limit is from 1 to %d", shown).Then("for more: weir query \"select * from segment.memberships\"")
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				if f.isLive(args) {
					v, err := f.ask(ctx, cmd, pl, args, limit)
					if err != nil {
						return err
					}
					return a.showSample(v)
				}
				members, columns, err := pl.house.PreviewSegment(ctx, pl.project, args[0], limit)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(members)
				}
				header := []string{"PROFILE", "SINCE (UTC)"}
				for _, c := range columns {
					header = append(header, strings.ToUpper(c))
				}
				var rows [][]string
				for _, m := range members {
					row := []string{m.ProfileID, when(m.EnteredAt)}
					for _, c := range columns {
						row = append(row, cell(m.Values[c]))
					}
					rows = append(rows, row)
				}
				a.table(header, rows)
				return nil
			})
		},
	}
	c.Flags().IntVar(&limit, "limit", 10, "how many members")
	f.add(c, "preview")
	return c
}

func (a *app) segmentExplain() *cobra.Command {
	var now string
	c := &cobra.Command{
		Use: "explain NAME PROFILE", Short: "Why a profile is in a segment, or why not", Args: cobra.ExactArgs(2),
		Long:    "Evaluates the rule condition by condition over the profile's values and events, at the\nnow of the run that computed the memberships, or at --now. PROFILE is an id or KIND:VALUE.",
		Example: "  weir segment explain vip email:jo@example.org\n  weir segment explain vip p_abc --now 2026-01-01T00:00:00Z",
		RunE: func(cmd *cobra.Command, args []string) error {
			var at time.Time
			if now != "" {
				var err error
				if at, err = moment("now", now); err != nil {
					return err
				}
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				r, err := pl.house.ExplainSegment(ctx, pl.project, args[0], args[1], at)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(r)
				}
				a.printf("%s, at %s, with %d events; in the committed segment: %s %s\n", r.Who.ProfileID, when(r.Now), r.Events, yes(r.Member), when(r.EnteredAt))
				a.showVerdict(r.Verdict, 0)
				return nil
			})
		},
	}
	c.Flags().StringVar(&now, "now", "", "evaluate as of then, RFC 3339")
	return c
}

func (a *app) showVerdict(v explain.Verdict, depth int) {
	mark := "no "
	if v.Holds {
		mark = "yes"
	}
	value := ""
	switch {
	case v.Value != "":
		value = "   (is " + cell(v.Value) + ")"
	case len(v.Children) == 0 && !v.Known:
		value = "   (unknown)"
	}
	a.printf("%s  %s%s%s\n", mark, strings.Repeat("  ", depth), v.What, value)
	for i, e := range v.Events {
		if i == 0 && v.Behind > len(v.Events) {
			a.printf("     %s· the last %d of %s events:\n", strings.Repeat("  ", depth+1), len(v.Events), count(int64(v.Behind)))
		}
		a.printf("     %s· %s  %s  %s\n", strings.Repeat("  ", depth+1), when(e.At), cell(e.Name), cell(e.ID))
	}
	for _, c := range v.Children {
		a.showVerdict(c, depth+1)
	}
}

func (a *app) segmentOverlap() *cobra.Command {
	var f liveFlags
	c := &cobra.Command{
		Use: "overlap A B…", Short: "How many members segments share", Args: cobra.MinimumNArgs(2),
		Long: `Compares the members of two segments as the last run wrote them. With --live, with - for
a definition on standard input, or with more than two segments, all of them are
evaluated as of now, and the size of each intersection is told.`,
		Example: "  weir segment overlap vip lapsed_vip\n  weir segment overlap --live vip lapsed_vip readers\n  weir segment overlap - vip < draft.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				if f.isLive(args) || len(args) > 2 {
					v, err := f.ask(ctx, cmd, pl, args, 0)
					if err != nil {
						return err
					}
					return a.showSets(v)
				}
				o, err := pl.house.OverlapSegments(ctx, pl.project, args[0], args[1])
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(o)
				}
				a.table([]string{"ONLY " + o.A, "BOTH", "ONLY " + o.B}, [][]string{{count(o.OnlyA), count(o.Both), count(o.OnlyB)}})
				return nil
			})
		},
	}
	f.add(c, "overlap")
	return c
}
