package main

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/stages"
)

func (a *app) policyCommand() *cobra.Command {
	return group("policy", "Check, test, rehearse, publish and explain the consent policy",
		"  weir policy init\n  weir policy diff\n  weir policy explain email:jo@example.org newsletter",
		a.policyInit(), a.policyCheck(), a.policyFmt(), a.policyTest(), a.policyDiff(), a.policyExplain(), a.policyDocs(),
		a.policyKey(), a.policyPublish(), a.policyShow(), a.policySettle("approve", weir.PolicyApproved), a.policySettle("reject", weir.PolicyRejected),
		a.policyRevisions(), a.policyEnforce(), a.policyRollback(), a.policySigners())
}

const policyDir = "DIR is a folder of rules; without it the project's policies/, or the built-in policy where\nthe project has none."

// policyDir is the folder that a policy command is about; "" is the built-in.
func (a *app) policyDir(args []string) (string, error) {
	if len(args) == 1 {
		dir, err := filepath.Abs(args[0])
		if err == nil {
			_, err = os.Stat(dir)
		}
		if err != nil {
			return "", weir.Errorf(weir.Invalid, "the folder can't be read: %w", err).Then("name the folder that holds the rules")
		}
		return dir, nil
	}
	dir := filepath.Join(a.dir, "policies")
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", weir.Errorf(weir.Invalid, "can't be read: %w", err).At("policies").Then("give this user the right to read it")
	case len(entries) == 0: // as project.Load has it
		return "", weir.Errorf(weir.Invalid, "the folder is empty").At("policies").Then("remove it, and the built-in rules decide")
	}
	return dir, nil
}

func named(dir string) string {
	if dir == "" {
		return "the built-in policy"
	}
	return dir
}

func (a *app) policyCheck() *cobra.Command {
	return &cobra.Command{
		Use: "check [DIR]", Short: "Everything that is wrong with the rules, by file and line", Long: "Compiles rules, data and cases, and checks the house rules. It decides nothing.\n" + policyDir,
		Example: "  weir policy check\n  weir policy check policies", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := a.policyDir(args)
			if err != nil {
				return err
			}
			problems, err := policies.Check(dir)
			if err != nil {
				return err
			}
			if a.json {
				if problems == nil {
					problems = []policies.Problem{}
				}
				if err := a.printJSON(problems); err != nil {
					return err
				}
			} else if len(problems) == 0 {
				a.printf("%s: nothing to complain of\n", named(dir))
			}
			if len(problems) == 0 {
				return nil
			}
			if !a.json {
				for _, p := range problems {
					a.printf("%s\n", p)
				}
			}
			if !policies.Failing(problems) {
				return nil
			}
			return &told{weir.Errorf(weir.Invalid, "%d problems", len(problems))}
		},
	}
}

func (a *app) policyFmt() *cobra.Command {
	return &cobra.Command{
		Use: "fmt [DIR]", Short: "Put the rules into the standard layout, in place",
		Long:    "Rewrites Rego files as opa fmt does, which weir policy check asks for. Files that do not\nparse stay as they are. " + policyDir,
		Example: "  weir policy fmt\n  weir policy fmt policies", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := a.policyDir(args)
			if err == nil && dir == "" {
				err = weir.Errorf(weir.NotFound, "the project has no rules of its own").At("policies").Then("weir policy init writes the built-in ones there, to be changed")
			}
			if err != nil {
				return err
			}
			changed, err := policies.Format(dir)
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(append([]string{}, changed...))
			}
			for _, p := range changed {
				a.printf("%s\n", p)
			}
			if len(changed) == 0 {
				a.printf("%s: nothing to change\n", named(dir))
			}
			return nil
		},
	}
}

func (a *app) policyExplain() *cobra.Command {
	var now string
	c := &cobra.Command{
		Use: "explain PROFILE ACTIVATION", Short: "What the gate says of one profile now, why, and what would change it",
		Long:    "Asks the policy as the decide stage would, with the profile's present facts. Nothing is\nrecorded or sent. PROFILE is an id or KIND:VALUE.",
		Example: "  weir policy explain email:jo@example.org newsletter", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := moment("now", now)
			if err != nil {
				return err
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				x, err := pl.house.ExplainDecision(ctx, pl.project, args[0], args[1], at)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(x)
				}
				a.showAnswer(x)
				return nil
			})
		},
	}
	c.Flags().StringVar(&now, "now", "", "ask as of then, RFC 3339 or a date (midnight UTC)")
	return c
}

func (a *app) showAnswer(x stages.Answer) {
	if !x.HasKey {
		a.printf("%s: nothing to send: the profile has no value for the activation's key\n", x.Who.ProfileID)
		return
	}
	e := x.Explanation
	word := "DENY"
	if e.Verdict.Allow && len(x.Unmet) == 0 {
		word = "ALLOW"
	}
	a.printf("%s %s for %s, policy %.12s\n", word, x.Who.ProfileID, x.Activation, e.Revision)
	a.printf("member of the segment: %s; at the destination now: %s\n", yes(x.Member), yes(x.Held))
	if e.Basis != nil {
		a.printf("\nbasis %s %s (%s)\n  %s\n", e.Basis.Code, e.Basis.Title, e.Basis.Law, oneLine(e.Basis.Description))
	}
	if len(e.Verdict.Obligations) > 0 {
		a.printf("\nunder the obligations: %s\n", strings.Join(slices.Sorted(maps.Keys(e.Verdict.Obligations)), ", "))
	}
	if len(x.Unmet) > 0 {
		a.printf("%s: nobody would carry out %s; weir doctor says what to do\n", policies.UnmetObligation, strings.Join(x.Unmet, ", "))
	}
	for _, r := range e.Reasons {
		a.printf("\n%s %s (%s)\n  %s\n", r.Code, r.Title, r.Law, oneLine(r.Description))
		if r.Remedy != "" {
			a.printf("  what to do: %s\n", r.Remedy)
		}
	}
	if e.Verdict.Fault != "" {
		a.printf("\nthe policy failed: %s\n", e.Verdict.Fault)
	}
	if x.HeldBack != nil {
		a.printf("\nnot sent all the same, as of the last run: %s (%s)\n", x.HeldBack.Reason, x.HeldBack.By)
	}
	if x.Recorded != nil {
		a.printf("\nrecorded: %s at %s %s\n", map[bool]string{true: "allow", false: "deny"}[x.Recorded.Allow], when(x.Recorded.At), strings.Join(x.Recorded.Reasons, " "))
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// policyOf loads the rules that DIR, or without it the project, names.
func (a *app) policyOf(ctx context.Context, args []string) (dir string, gate *policies.Gate, err error) {
	if dir, err = a.policyDir(args); err != nil {
		return dir, nil, err
	}
	gate, err = policies.Load(ctx, policies.Options{Dir: dir})
	return dir, gate, err
}
