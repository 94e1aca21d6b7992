package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/stages"
)

func (a *app) identityDiff() *cobra.Command {
	var share float64
	var against string
	c := &cobra.Command{
		Use: "diff", Short: "What this identity.yaml would change, without changing it",
		Long: `Runs resolve, unify and segment with the project's identity.yaml on the tables as they
are, commits nothing, and compares: profiles put together and taken apart, records
that move, match rates by rule, the largest profiles, and segments that change size.
It takes as long as these stages; --sample looks at a share of the profiles, each
whole, and says what is approximated. A model that has to be trained for it is kept
for the run that follows.`,
		Example: "  weir identity diff\n  weir identity diff --sample 0.05\n  weir identity diff --against ../main-branch --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := stages.DiffOrder{Share: share}
			if against != "" {
				other, err := project.Load(against, systems())
				if err != nil {
					return err
				}
				o.Against = other
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				suffix := make([]byte, 3)
				if _, err := rand.Read(suffix); err != nil {
					return weir.Errorf(weir.Internal, "name the comparison: %w", err)
				}
				o.Run = "diff-" + weir.NewRunID(time.Now().UTC(), hex.EncodeToString(suffix))
				shown := weir.Stage("")
				d, err := pl.house.DiffIdentity(ctx, pl.project, o, func(s weir.Stage, _ weir.Progress) {
					if s != shown && a.terminal() && !a.json {
						shown = s
						a.sayf("\rcompare: %-8s", s)
					}
				})
				if shown != "" {
					a.sayf("\r%-20s\r", "")
				}
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(d)
				}
				a.showDiff(d)
				return nil
			})
		},
	}
	c.Flags().Float64Var(&share, "sample", 1, "the share of the profiles to look at: 0.1")
	c.Flags().StringVar(&against, "against", "", "compare with the identity.yaml of this project directory instead of the tables as they are")
	return c
}

func (a *app) showDiff(d stages.IdentityDiff) {
	for _, s := range d.Approximate {
		a.printf("sample of %.3g %%: %s\n", 100*d.Share, s)
	}
	a.printf("%s in %s, then in %s; %s put together, %s taken apart, %s\n", several(int(d.Records), "record"), several(int(d.Profiles[0]), "profile"), count(d.Profiles[1]),
		count(d.Merged), count(d.Split), several(int(d.Moved), "record")+" in another profile")
	for _, m := range d.Models {
		a.printf("model of %s: %s, then %s\n", m.Kind, noneOf(m.Before), noneOf(m.After))
	}
	if d.Merged+d.Split+d.Moved == 0 {
		a.printf("nothing would change\n")
	}
	var rows [][]string
	for _, r := range d.Rates {
		rows = append(rows, []string{string(r.Kind), orAny(r.Rule), percent(r.Before, r.Records), percent(r.After, r.Records), fmt.Sprintf("%+d", r.After-r.Before)})
	}
	a.section("KIND\tRULE\tMATCHED BEFORE\tAFTER\tRECORDS", rows)
	rows = nil
	for i := range max(len(d.Largest[0]), len(d.Largest[1])) {
		row := make([]string, 4)
		for side := range d.Largest {
			if i < len(d.Largest[side]) {
				row[2*side], row[2*side+1] = d.Largest[side][i].ProfileID, count(d.Largest[side][i].Records)
			}
		}
		rows = append(rows, row)
	}
	a.section("LARGEST BEFORE\tRECORDS\tLARGEST AFTER\tRECORDS", rows)
	rows = nil
	for _, e := range d.Examples {
		for i, p := range e.Parts {
			row := []string{"", "", p.Profile, several(int(p.Size), "record"), strings.Join(p.Records, " ")}
			if i == 0 {
				row[0], row[1] = e.Change, e.Profile
			}
			rows = append(rows, row)
		}
	}
	a.section("EXAMPLE\tPROFILE\tOF OR INTO\tSIZE\tRECORDS", rows)
	rows = nil
	for _, s := range d.Segments {
		rows = append(rows, []string{s.Segment, count(s.Before), count(s.After), fmt.Sprintf("+%d", s.Enter), fmt.Sprintf("-%d", s.Exit)})
	}
	a.section("SEGMENT\tMEMBERS BEFORE\tAFTER\tENTER\tLEAVE", rows)
}

func noneOf(version string) string {
	if version == "" {
		return "none"
	}
	return version
}
