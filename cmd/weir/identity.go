package main

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/stages"
	"github.com/weir-cdp/weir/workflows"
)

func (a *app) identityCommand() *cobra.Command {
	return group("identity", "See why records are one person, and decide where the engine is wrong",
		"  weir identity report\n  weir identity explain email:jo@example.org phone:+33612345678\n  weir identity decisions",
		a.identityExplain(), a.identityReport(),
		a.identitySplit(), a.identityLink(), a.identityUnlink(), a.identityUndo(), a.identityDecisions(),
		a.identityModel(), a.identityTrain(), a.identityDiff(), a.identityReview())
}

// deciding is what the commands that decide share.
type deciding struct {
	reason, author string
	yes, later     bool
}

func (d *deciding) flags(c *cobra.Command) *cobra.Command {
	f := c.Flags()
	f.StringVar(&d.reason, "reason", "", "why, for those who ask later; required")
	f.StringVar(&d.author, "author", "", "who decides; default: WEIR_AUTHOR, or who you are to this machine")
	f.BoolVar(&d.yes, "yes", false, "decide without asking, for scripts")
	f.BoolVar(&d.later, "later", false, "only record it: the next run of resolve follows it")
	return c
}

// afterwards is what every command that decides does once it is confirmed.
const afterwards = `

Shows what would change: records, fields of the golden records, identifiers, events
and segments. Then asks, records the decision, and runs resolve, unify and segment.
What goes to destinations follows with the next "weir run".

A decision counts on every later run, until "weir identity undo". For any two
records the latest decision that names both counts.`

func (a *app) identitySplit() *cobra.Command {
	var d deciding
	o := stages.DecisionOrder{Do: stages.DoSplit}
	c := d.flags(&cobra.Command{
		Use: "split PROFILE", Short: "Take records out of a profile: they are somebody else",
		Long: `PROFILE is a profile's id, a record's id or KIND:VALUE. What is named moves out, the
rest stays, and no record that moves is ever one with a record that stays.` + afterwards,
		Example: `  weir identity split email:home@example.org --record crm/contacts/42 --reason "two people, one mailbox"
  weir identity split p_abc --source newsletter --reason "typed by a shop assistant" --yes
  weir identity split p_abc --identifier phone:+33612345678 --reason "number was given to somebody else"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.A = args[0]
			return a.decide(cmd, o, d)
		},
	})
	c.Flags().StringArrayVar(&o.Records, "record", nil, "a record that moves out; may be repeated")
	c.Flags().StringArrayVar(&o.Sources, "source", nil, "the records of a source move out; may be repeated")
	c.Flags().StringArrayVar(&o.Identifiers, "identifier", nil, "the records that hold a KIND:VALUE move out; may be repeated")
	return c
}

func (a *app) identityLink() *cobra.Command {
	var d deciding
	return d.flags(&cobra.Command{
		Use: "link A B", Short: "Two records or profiles are one person",
		Long: `A and B are records' ids, profiles' ids or KIND:VALUE. A profile stands for all records
that it has now, a value for its profile's records that hold it. A hard limit stands
against a link, and the preview says so.` + afterwards,
		Example: `  weir identity link crm/contacts/1 shop/customers/77 --reason "same person, changed her name"
  weir identity link p_abc email:jo@example.org --reason "confirmed by phone" --later`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.decide(cmd, stages.DecisionOrder{Do: stages.DoLink, A: args[0], B: args[1]}, d)
		},
	})
}

func (a *app) identityUnlink() *cobra.Command {
	var d deciding
	return d.flags(&cobra.Command{
		Use: "unlink A B", Short: "Two records or profiles are two people",
		Long: `A and B are records' ids, profiles' ids or KIND:VALUE, of one profile or of two. No
record of A is ever one with a record of B; the profile's other records go with the
side to which the evidence ties them.` + afterwards,
		Example: `  weir identity unlink crm/contacts/1 crm/contacts/2 --reason "father and son"`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.decide(cmd, stages.DecisionOrder{Do: stages.DoUnlink, A: args[0], B: args[1]}, d)
		},
	})
}

func (a *app) identityUndo() *cobra.Command {
	var d deciding
	return d.flags(&cobra.Command{
		Use: "undo DECISION", Short: "Withdraw a decision; to withdraw a withdrawal gives the decision back",
		Long:    "DECISION is an id of \"weir identity decisions\". Nothing is deleted: that it was\nwithdrawn, by whom and why, is kept too." + afterwards,
		Example: `  weir identity undo d_abcdefghijkl --reason "it was one person after all"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.decide(cmd, stages.DecisionOrder{Do: stages.DoUndo, A: args[0]}, d)
		},
	})
}

// decided is what a decision's command prints with --json.
type decided struct {
	stages.DecisionPreview
	Recorded bool                `json:"recorded"`
	Run      *workflows.Snapshot `json:"run,omitempty"`
}

// decide previews, asks, records and runs.
func (a *app) decide(cmd *cobra.Command, o stages.DecisionOrder, d deciding) error {
	o.Reason, o.Author = d.reason, author(d.author)
	return a.opened(cmd, func(ctx context.Context, pl *platform) error {
		draft, err := pl.house.DraftDecision(ctx, o)
		if err != nil {
			return err
		}
		out := decided{}
		if out.DecisionPreview, err = a.preview(ctx, pl, draft); err != nil {
			return err
		}
		if !a.json {
			a.showPreview(out.DecisionPreview)
		}
		if err := a.confirm(d); err != nil {
			if a.json { // the preview was asked for
				err = orElseErr(a.printJSON(out), &told{err})
			}
			return err
		}
		if err := pl.house.RecordDecision(ctx, draft); err != nil {
			return err
		}
		out.Recorded = true
		switch {
		case !d.later:
			return a.follow(ctx, pl, &out)
		case a.json:
			return a.printJSON(out)
		}
		a.printf("recorded as %s; the next run follows it: weir run resolve unify segment\n", draft.ID)
		return nil
	})
}

// preview shows on a terminal what it is doing.
func (a *app) preview(ctx context.Context, pl *platform, draft stages.Draft) (stages.DecisionPreview, error) {
	shown := weir.Stage("")
	v, err := pl.house.PreviewDecision(ctx, pl.project, draft, func(s weir.Stage, _ weir.Progress) {
		if s != shown && a.terminal() && !a.json {
			shown = s
			a.sayf("\rpreview: %-8s", s)
		}
	})
	if shown != "" {
		a.sayf("\r%-20s\r", "")
	}
	return v, err
}

// follow runs the stages that a decision changes.
func (a *app) follow(ctx context.Context, pl *platform, out *decided) error {
	if !a.json {
		a.printf("recorded as %s\n\n", out.Decision.ID)
	}
	tell := func(s workflows.Snapshot) error {
		if out.Run = &s; a.json {
			return a.printJSON(out)
		}
		return a.summary(s)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	err := a.refreshWithRoom(ctx, refreshing{on: pl, now: now, stages: []weir.Stage{weir.Resolve, weir.Unify, weir.Segment}, tell: tell})
	if err != nil && out.Run == nil {
		a.sayf("weir: decision %s is recorded, and the next run follows it\n", out.Decision.ID)
	}
	return err
}

// author is who decides.
func author(flag string) string {
	for _, name := range []string{flag, os.Getenv("WEIR_AUTHOR")} {
		if strings.TrimSpace(name) != "" {
			return name
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// confirm asks a person; a script has to say --yes.
func (a *app) confirm(d deciding) error {
	return a.agree("Decide this?", d.yes, weir.Errorf(weir.Invalid, "nothing is decided: this was a preview").Then("decide it with --yes"))
}

func (a *app) identityDecisions() *cobra.Command {
	return &cobra.Command{
		Use: "decisions", Short: "What people decided about identities, the latest first",
		Long:    "Lists every decision, with who took it, why, and whether it stands. The rows are in\nidentity.decisions.",
		Example: "  weir identity decisions\n  weir identity decisions --json", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				all, err := pl.house.IdentityDecisions(ctx)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(all)
				}
				if len(all) == 0 {
					a.printf("nothing was decided; weir identity split, link and unlink do\n")
					return nil
				}
				var rows [][]string
				for _, d := range all {
					rows = append(rows, []string{d.ID, when(d.At), said(d), standing(d), cell(d.Author), cell(d.Reason)})
				}
				a.table([]string{"DECISION", "AT (UTC)", "SAYS", "STATE", "AUTHOR", "REASON"}, rows)
				return nil
			})
		},
	}
}

func said(d stages.ListedDecision) string {
	switch d.Change {
	case weir.DecidedApart:
		return fmt.Sprintf("%d apart from %d", len(d.Moves), len(d.Stays))
	case weir.DecidedTogether:
		return several(len(d.Stays), "record") + " together"
	}
	return d.Undoes + " withdrawn"
}

func standing(d stages.ListedDecision) string {
	switch {
	case d.Gone:
		return "withdrawn by " + d.By
	case d.Past:
		return "overruled by later ones"
	case d.Idle:
		return fmt.Sprintf("waits: %d of %d records are gone", d.Missing, d.Records)
	case d.Missing > 0:
		return fmt.Sprintf("stands; %d of %d records are gone", d.Missing, d.Records)
	}
	return "stands"
}
