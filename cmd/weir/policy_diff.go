package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/stages"
)

func (a *app) policyDiff() *cobra.Command {
	o := stages.PolicyDiffOptions{Keys: true}
	c := &cobra.Command{
		Use: "diff [DIR]", Short: "Who would gain or lose by the rules as they are now in the files",
		Long: `Decides anew about everybody concerned, as of the last decisions, and compares with
these, by activation, jurisdiction and reason, with examples, whose keys are masked. It
commits nothing and sends nothing; it takes about as long as the decide stage. DIR is a folder of rules; without it the project's policies/, or the
built-in policy where the project has none.`,
		Example: "  weir policy diff\n  weir policy diff ../draft/policies --json", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, gate, err := a.policyOf(cmd.Context(), args)
			if err != nil {
				return err
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				d, err := pl.house.DiffPolicy(ctx, pl.project, gate, o)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(d)
				}
				a.showPolicyDiff(dir, d)
				return nil
			})
		},
	}
	c.Flags().BoolVar(&o.Unmasked, "unmasked", false, "show the examples' keys (addresses) whole")
	return c
}

func (a *app) showPolicyDiff(dir string, d stages.PolicyDiff) {
	before := make([]string, len(d.Before))
	for i, r := range d.Before {
		before[i] = fmt.Sprintf("%.12s", r)
	}
	a.printf("%s, revision %.12s, against the decisions in force (revision %s), as of %s\n", named(dir), d.Revision, strings.Join(before, ", "), when(d.AsOf))
	if d.Pending {
		a.printf("people or consents changed since these decisions: what is shown is the effect of that too\n")
	}
	var activations, places, reasons, people [][]string
	for _, s := range d.Activations {
		activations = append(activations, []string{s.Activation, count(s.Considered), count(s.Allowed[0]), count(s.Allowed[1]),
			fmt.Sprintf("+%d", s.Gain), fmt.Sprintf("-%d", s.Lose), count(s.Held), count(s.Undecided)})
		for _, at := range s.Jurisdictions {
			if at.Gain+at.Lose > 0 {
				places = append(places, []string{s.Activation, at.Jurisdictions, count(at.Considered), count(at.Allowed[0]), count(at.Allowed[1]), fmt.Sprintf("+%d", at.Gain), fmt.Sprintf("-%d", at.Lose)})
			}
		}
		for _, r := range s.Reasons {
			reasons = append(reasons, []string{s.Activation, r.Code, count(r.Before), count(r.After), fmt.Sprintf("+%d", r.Gain), fmt.Sprintf("-%d", r.Lose)})
		}
		for _, m := range s.Examples {
			people = append(people, []string{s.Activation, m.Change, m.ProfileID, m.Key, strings.Join(m.Reasons, " ")})
		}
	}
	a.section("ACTIVATION\tPEOPLE\tALLOWED BEFORE\tAFTER\tGAIN\tLOSE\tTO REMOVE\tNEVER DECIDED", activations)
	a.section("ACTIVATION\tJURISDICTION\tPEOPLE\tALLOWED BEFORE\tAFTER\tGAIN\tLOSE", places)
	a.section("ACTIVATION\tREASON\tHELD BACK BEFORE\tAFTER\tGAIN\tLOSE", reasons)
	a.section("ACTIVATION\tEXAMPLE\tPROFILE\tKEY\tREASONS", people)
	if len(people) > 0 {
		a.printf("\nwhy: weir policy explain %s %s --now %s\n", people[0][2], people[0][0], d.AsOf.UTC().Format(time.RFC3339))
	}
}

func (a *app) policyInit() *cobra.Command {
	return &cobra.Command{
		Use: "init", Short: "Write the built-in policy into the project, to change it",
		Long: `Copies the built-in policy, with its data, cases and tests, to policies/ of the project.
From then on this folder decides, whole: what a newer Weir brings does not reach it by
itself. It refuses a folder that holds something.`,
		Example: "  weir policy init", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if _, err := a.load(); err != nil {
				return err
			}
			n, err := policies.Write(filepath.Join(a.dir, "policies"))
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]any{"dir": filepath.Join(a.dir, "policies"), "files": n})
			}
			a.printf("wrote %d files to policies; next: change a number in policies/data, then weir policy test and weir policy diff\n", n)
			return nil
		},
	}
}
