package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/revisions"
	"github.com/weir-cdp/weir/stages"
	"github.com/weir-cdp/weir/workflows"
)

// signing are the flags of every command that signs.
type signing struct {
	key, reason, effective string
}

func (s *signing) flags(c *cobra.Command, authors bool) *cobra.Command {
	c.Flags().StringVar(&s.key, "key", "", "file of your private key; default: "+keyVariable+", or the one in your settings")
	if authors {
		c.Flags().StringVar(&s.reason, "reason", "", "why, for those who read it later")
		c.Flags().StringVar(&s.effective, "effective", "", "from when it rules, RFC 3339 or a date (midnight UTC); default: now")
	}
	return c
}

func (a *app) policyPublish() *cobra.Command {
	var s signing
	var shadow bool
	c := &cobra.Command{
		Use: "publish [DIR]", Short: "Propose rules, signed by you, for somebody else to approve",
		Long: `Checks and proves the rules (weir policy check and test), rehearses who would gain or lose
(weir policy diff), and signs the digests of rules and reports with your key. They rule
once another signer approves them: weir policy approve. With --shadow they are asked
beside the rules in force and only counted.
` + policyDir,
		Example: "  weir policy publish --reason \"newsletter consent holds a year\"\n  weir policy publish --shadow --effective 2027-01-01", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := a.policyDir(args)
			if err != nil {
				return err
			}
			d := stages.PolicyDraft{Kind: revisions.Policy, State: revisions.Enforce, Dir: dir}
			if shadow {
				d.State = revisions.Shadow
			}
			return a.propose(cmd, s, d)
		},
	}
	c.Flags().BoolVar(&shadow, "shadow", false, "only count what the rules would decide")
	return s.flags(c, true)
}

func (a *app) policyEnforce() *cobra.Command {
	var s signing
	c := &cobra.Command{
		Use: "enforce REVISION", Short: "Propose that the rules of a revision in shadow rule",
		Long:    "Makes a new revision with the same rules, rehearsed anew and signed by you; another\nsigner approves it.",
		Example: "  weir policy enforce 7", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := revisionNumber(args[0])
			if err != nil {
				return err
			}
			return a.propose(cmd, s, stages.PolicyDraft{Kind: revisions.Policy, State: revisions.Enforce, From: n})
		},
	}
	return s.flags(c, true)
}

func (a *app) policyRollback() *cobra.Command {
	var s signing
	c := &cobra.Command{
		Use: "rollback REVISION", Short: "Propose to go back to the rules of an older revision",
		Long: `Makes a new revision with the rules of an approved one, rehearsed anew and signed by you;
another signer approves it. An older revision never comes back by itself.`,
		Example: "  weir policy rollback 6 --reason \"7 held back too many\"", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := revisionNumber(args[0])
			if err != nil {
				return err
			}
			return a.propose(cmd, s, stages.PolicyDraft{Kind: revisions.Rollback, State: revisions.Enforce, From: n})
		},
	}
	return s.flags(c, true)
}

func (a *app) policySigners() *cobra.Command {
	var s signing
	propose := &cobra.Command{
		Use: "propose", Short: "Propose the signers that weir.yaml names in the place of those who sign now",
		Long:    "Signed by you, who sign now; another of those who sign now approves it. Until then runs\nrefuse the changed weir.yaml.",
		Example: "  weir policy signers propose --reason \"Ben leaves, Cleo comes\"", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.propose(cmd, s, stages.PolicyDraft{Kind: revisions.Signers})
		},
	}
	return group("signers", "Change who may sign policies",
		"  weir policy signers propose --reason \"Cleo joins\"\n  weir policy signers approve 4",
		s.flags(propose, true), a.policySettle("approve", weir.PolicyApproved))
}

func revisionNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, weir.Errorf(weir.Invalid, "%q is not the number of a revision", text).Then("weir policy revisions")
	}
	return n, nil
}

// propose prepares, signs and starts a publication.
func (a *app) propose(cmd *cobra.Command, s signing, d stages.PolicyDraft) error {
	key, err := a.privateKey(s.key)
	if err != nil {
		return err
	}
	now, err := moment("now", "")
	if err != nil {
		return err
	}
	if d.EffectiveAt, err = moment("effective", s.effective); err != nil {
		return err
	}
	d.Reason = s.reason
	return a.opened(cmd, func(ctx context.Context, pl *platform) error {
		standing, err := pl.house.PolicyStanding(ctx, pl.project.Name)
		if err != nil {
			return err
		}
		who := standing.Signers
		if len(who) == 0 {
			who = pl.project.Signers
		}
		author, err := revisions.Owner(who, key)
		if err != nil {
			return err
		}
		d.Author = author.Name
		p, err := pl.house.PreparePolicy(ctx, pl.project, d, now, a.counting())
		a.counted()
		if err != nil {
			return err
		}
		draft, err := pl.house.DraftPolicy(ctx, pl.project.Name, p.Pin, revisions.Propose(p.Revision, key, now))
		if err != nil {
			return err
		}
		in := workflows.PolicyInput{Workspace: pl.project.Name, Number: p.Revision.Number, Draft: draft}
		report, err := pl.publication(ctx, func(c client.Client) (workflows.PolicyReport, error) { return workflows.ProposePolicy(ctx, c, in) })
		if err != nil {
			return err
		}
		review, err := pl.house.ReviewPolicy(ctx, pl.project.Name, report.Number)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(review)
		}
		a.showReview(review)
		a.printf("\nsigned by %s. It rules once somebody else signs: weir policy approve %d\n", author.Name, report.Number)
		return nil
	})
}

// publication says something to a publication, with a worker that does what follows.
func (pl *platform) publication(ctx context.Context, say func(client.Client) (workflows.PolicyReport, error)) (workflows.PolicyReport, error) {
	c, err := pl.dial(ctx)
	if err != nil {
		return workflows.PolicyReport{}, err
	}
	if pl.own != nil || pl.project.Temporal.Address != "" {
		stop, err := pl.work(c)
		if err != nil {
			return workflows.PolicyReport{}, err
		}
		defer stop()
	}
	return say(c)
}

// policySettle approves or rejects a proposal.
func (a *app) policySettle(verb, verdict string) *cobra.Command {
	var s signing
	c := &cobra.Command{
		Use: verb + " REVISION", Args: cobra.ExactArgs(1), Example: "  weir policy show 7\n  weir policy " + verb + " 7",
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := revisionNumber(args[0])
			if err != nil {
				return err
			}
			return a.settle(cmd, s, n, verdict)
		},
	}
	if verdict == weir.PolicyApproved {
		c.Short = "Sign what somebody else proposed: it rules from its date on"
		c.Long = "Confirms that the store holds what is to be signed, and runs its tests and cases on this\nmachine. Look at it first: weir policy show REVISION."
	} else {
		c.Short, c.Long = "End a proposal", "The author may take it back, and every signer may reject it."
	}
	return s.flags(c, false)
}

func (a *app) settle(cmd *cobra.Command, s signing, number int64, verdict string) error {
	key, err := a.privateKey(s.key)
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	return a.opened(cmd, func(ctx context.Context, pl *platform) error {
		standing, err := pl.house.PolicyStanding(ctx, pl.project.Name)
		if err != nil {
			return err
		}
		who, err := revisions.Owner(standing.Signers, key)
		if err != nil {
			return err
		}
		waiting, ok := standing.Waiting(number)
		if !ok {
			return weir.Errorf(weir.NotFound, "revision %d does not wait for a signature", number).Then("weir policy revisions")
		}
		entry := revisions.Reject(waiting.Revision, who.Name, key, now)
		if verdict == weir.PolicyApproved {
			review, err := pl.house.ReviewPolicy(ctx, pl.project.Name, number)
			if err != nil {
				return err
			}
			if err := pl.house.ConfirmPolicy(ctx, review); err != nil {
				return err
			}
			entry = revisions.Approve(waiting.Revision, who.Name, key, now)
		}
		if _, err := standing.With(pl.project.Name, entry); err != nil { // before anything is started
			return err
		}
		in := workflows.PolicyInput{Workspace: pl.project.Name, Number: number}
		if in.Draft, err = pl.house.DraftPolicy(ctx, pl.project.Name, nil, waiting.Proposed()); err != nil {
			return err
		}
		draft, err := pl.house.DraftPolicy(ctx, pl.project.Name, nil, entry)
		if err != nil {
			return err
		}
		report, err := pl.publication(ctx, func(c client.Client) (workflows.PolicyReport, error) {
			return workflows.SettlePolicy(ctx, c, in, workflows.PolicyWord{Verdict: verdict, Draft: draft})
		})
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(map[string]any{"revision": report.Number, "state": report.State, "by": who.Name})
		}
		a.printf("revision %d is %s by %s%s\n", report.Number, report.State, who.Name, a.follows(waiting.Revision, verdict))
		return nil
	})
}

func (a *app) follows(r revisions.Revision, verdict string) string {
	switch {
	case verdict != weir.PolicyApproved:
		return ""
	case r.Kind == revisions.Signers:
		return "; these sign from now on"
	case r.State == revisions.Shadow:
		return fmt.Sprintf("; in shadow from %s", when(r.EffectiveAt))
	}
	return fmt.Sprintf("; it rules from %s, and the next run follows it: weir run decide activate", when(r.EffectiveAt))
}
