package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/stages"
)

func (a *app) consentCommand() *cobra.Command {
	return group("consent", "See and record what people said may be done, and prove it",
		"  weir consent history email:jo@example.org\n  weir consent show email:jo@example.org\n  weir consent verify",
		a.consentShow(), a.consentHistory(),
		a.consentRecord(), a.consentEvidence(), a.consentVerify(), a.consentForget())
}

func (a *app) consentShow() *cobra.Command {
	var now string
	c := &cobra.Command{
		Use: "show KIND:VALUE | EMAIL | PROFILE_ID", Short: "What holds now, for each purpose and channel",
		Long: `Folds all entries about the person, as the gate does: a grant counts for the address
that it was given for, a restriction for the whole profile.`,
		Example: "  weir consent show email:jo@example.org\n  weir consent show p_abc --now 2026-01-01T00:00:00Z", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.consents(cmd, args[0], now, func(v stages.ConsentView) {
				var rows [][]string
				for _, f := range v.Folded {
					s := f.State
					rows = append(rows, []string{f.Purpose, f.Channel, string(s.Status), when(s.GivenAt), when(s.ExpiresAt), yes(s.Explicit), yes(s.Proof), restrictions(f)})
				}
				if len(rows) == 0 {
					a.printf("nothing was said, and no activation asks\n")
					return
				}
				a.table([]string{"PURPOSE", "CHANNEL", "CONSENT", "GIVEN (UTC)", "EXPIRES (UTC)", "EXPLICIT", "PROOF", "RESTRICTIONS"}, rows)
			})
		},
	}
	c.Flags().StringVar(&now, "now", "", "what held then, RFC 3339")
	return c
}

func restrictions(f stages.Standing) string {
	out := ""
	for _, r := range []struct {
		holds bool
		name  string
	}{{f.State.Objected, "objected"}, {f.State.OptedOut, "opted out"}, {f.State.Signal, "signal"}, {f.State.Restricted, "restricted"}, {f.State.Erasure, "erasure requested"}} {
		if r.holds {
			if out != "" {
				out += ", "
			}
			out += r.name
		}
	}
	return out
}

func (a *app) consentHistory() *cobra.Command {
	return &cobra.Command{
		Use: "history KIND:VALUE | EMAIL | PROFILE_ID", Short: "All that was said, in order, with its proof, and what the ledger says of it",
		Example: "  weir consent history jo@example.org\n  weir consent history p_abc --json", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.consents(cmd, args[0], "", func(v stages.ConsentView) {
				if len(v.Entries) == 0 {
					a.printf("nothing was said\n")
				}
				a.showEntries(v.Entries)
				a.showLedger(v.Ledger)
			})
		},
	}
}

func (a *app) consents(cmd *cobra.Command, ref, now string, show func(stages.ConsentView)) error {
	at, err := moment("now", now)
	if err != nil {
		return err
	}
	return a.opened(cmd, func(ctx context.Context, pl *platform) error {
		v, err := pl.house.Consents(ctx, pl.project, ref, at)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(v)
		}
		if v.Who.ProfileID != "" {
			a.printf("profile %s\n", v.Who.ProfileID)
		} else if len(v.Who.Holders) == 0 {
			a.printf("no profile holds this %s: only what was said for it is shown\n", v.Who.Kind)
		} else {
			a.printf("this %s is on %d profiles: only what was said for it is shown\n", v.Who.Kind, len(v.Who.Holders))
		}
		show(v)
		return nil
	})
}

// showEntries writes consent entries as a table.
func (a *app) showEntries(entries []weir.Consent) {
	var rows [][]string
	for _, e := range entries {
		rows = append(rows, []string{when(e.OccurredAt), string(e.Action), orAll(e.Purpose), orAll(e.Channel), e.Kind + ":" + cell(e.Value), e.Basis, e.Jurisdiction, cell(e.Proof), e.ID})
	}
	a.section("SAID (UTC)\tACTION\tPURPOSE\tCHANNEL\tFOR\tBASIS\tJURISDICTION\tPROOF\tENTRY", rows)
}

func orAll(s string) string {
	if s == "" {
		return "all"
	}
	return s
}
