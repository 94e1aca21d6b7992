package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/stages"
)

func (a *app) activationCommand() *cobra.Command {
	return group("activation", "See what would be sent, and send refused rows again",
		"  weir activation ls\n  weir activation preview newsletter",
		a.activationLs(), a.activationPreview(), a.activationRedrive())
}

func (a *app) activationLs() *cobra.Command {
	return &cobra.Command{
		Use: "ls", Short: "All activations: where they go, what is held there, what waits", Example: "  weir activation ls", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				views := []stages.ActivationPreview{}
				for _, x := range pl.project.Activations {
					v, err := pl.house.PreviewActivation(ctx, pl.project, x.Name, 0)
					if err != nil {
						return err
					}
					views = append(views, v)
				}
				if a.json {
					return a.printJSON(views)
				}
				var rows [][]string
				for i, v := range views {
					x := pl.project.Activations[i]
					rows = append(rows, []string{x.Name, x.Segment, x.Destination, x.Purpose, string(x.Mode), count(v.Held), counts(v.Counts), counts(v.HeldBack), count(v.Rejected)})
				}
				a.table([]string{"ACTIVATION", "SEGMENT", "DESTINATION", "PURPOSE", "MODE", "HELD", "TO SEND", "HELD BACK", "REJECTED"}, rows)
				return nil
			})
		},
	}
}

func (a *app) activationPreview() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "preview NAME", Short: "What the next run would send, as was decided last",
		Long:    "Compares the last decisions with what the destination holds. Addresses are masked. A run\ndecides anew before it sends, so data that arrived since, and a policy that changed\nsince (weir policy diff), can change this.",
		Example: "  weir activation preview newsletter --limit 5", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 0 || limit > shown {
				return weir.Errorf(weir.Invalid, "--limit is from 0 to %d", shown).Then("weir activation preview " + args[0] + " --limit 10")
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				v, err := pl.house.PreviewActivation(ctx, pl.project, args[0], limit)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(v)
				}
				decided := "nothing is decided yet: weir run"
				if !v.DecidedAt.IsZero() {
					decided = "decided as of " + when(v.DecidedAt)
				}
				a.printf("%s to %s: %s; held there %s; to send: %s\n", v.Activation, v.Destination, decided, count(v.Held), counts(v.Counts))
				if len(v.HeldBack) > 0 {
					a.printf("held back, without asking the policy: %s (who: weir query \"select * from activation.held_back\")\n", counts(v.HeldBack))
				}
				if v.PolicyChanged {
					a.printf("the policy changed since: weir policy diff shows who would gain or lose\n")
				}
				if v.Waits {
					a.printf("it waits until the destination that it was moved from is empty\n")
				}
				if v.Rejected > 0 {
					a.printf("%s rejected rows wait for: weir activation redrive %s\n", count(v.Rejected), v.Activation)
				}
				var rows [][]string
				for _, s := range v.Sample {
					rows = append(rows, []string{string(s.Op), s.ProfileID, cell(s.Key), strings.Join(s.Fields, ", ")})
				}
				a.section("OP\tPROFILE\tKEY\tFIELDS", rows)
				return nil
			})
		},
	}
	c.Flags().IntVar(&limit, "limit", 5, "rows shown of each operation")
	return c
}

func (a *app) activationRedrive() *cobra.Command {
	var delivery string
	c := &cobra.Command{
		Use: "redrive NAME", Short: "Let rows that the destination refused be sent again by the next run",
		Long: `A row that a destination rejects is not sent again by itself until it changes. Once
the cause is mended at the destination, redrive lets the next run try all such rows
of an activation, or the one named by --delivery. They pass the gate again.`,
		Example: "  weir activation redrive newsletter\n  weir activation redrive newsletter --delivery 0a1b2c", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				if _, ok := pl.project.Activation(args[0]); !ok {
					_, err := pl.house.PreviewActivation(ctx, pl.project, args[0], 0)
					return err
				}
				run, err := pl.newRun(ctx, time.Now().UTC().Truncate(time.Microsecond), false)
				if err != nil {
					return err
				}
				rows, err := pl.house.Redrive(ctx, run, args[0], delivery)
				if err != nil {
					return err
				}
				if a.json {
					ids := make([]string, len(rows))
					for i, r := range rows {
						ids[i] = r.ID
					}
					return a.printJSON(map[string]any{"activation": args[0], "run_id": run.ID, "redriven": ids})
				}
				a.printf("%s rows will be sent again; next: weir run activate\n", count(int64(len(rows))))
				return nil
			})
		},
	}
	c.Flags().StringVar(&delivery, "delivery", "", "one delivery's id")
	return c
}
