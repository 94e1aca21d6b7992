package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/revisions"
	"github.com/weir-cdp/weir/stages"
)

// listedRevision is a line of weir policy revisions.
type listedRevision struct {
	revisions.Revision
	Status   string `json:"status"` // waiting, overtaken, ruling, shadow, later, past
	Approver string `json:"approver,omitempty"`
}

func (a *app) policyRevisions() *cobra.Command {
	var now string
	c := &cobra.Command{
		Use: "revisions", Short: "The published revisions of the policy, and what waits for a signature",
		Long:    "Reads the log that the gate follows. The same is in the table consent.policies.",
		Example: "  weir policy revisions\n  weir policy revisions --now 2027-01-01", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := moment("now", now)
			if err != nil {
				return err
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				s, err := pl.house.PolicyStanding(ctx, pl.project.Name)
				if err != nil {
					return err
				}
				list := []listedRevision{}
				ruling, _ := s.Ruling(at)
				shadow, _ := s.Shadowing(at)
				for _, r := range s.Approved {
					status := "past"
					switch {
					case r.Kind == revisions.Signers:
						status = "approved"
					case r.Number == ruling.Number:
						status = "ruling"
					case r.Number == shadow.Number:
						status = "shadow"
					case r.EffectiveAt.After(at):
						status = "later"
					}
					list = append(list, listedRevision{r.Revision, status, r.Approver})
				}
				for _, r := range s.Pending {
					status := "waiting"
					if r.Overtaken {
						status = "overtaken"
					}
					list = append(list, listedRevision{Revision: r.Revision, Status: status})
				}
				if a.json {
					return a.printJSON(map[string]any{"revisions": list, "signers": s.Signers, "ignored": s.Ignored})
				}
				a.showRevisions(list, s, len(pl.project.Signers) > 0)
				return nil
			})
		},
	}
	c.Flags().StringVar(&now, "now", "", "as of then, RFC 3339 or a date (midnight UTC)")
	return c
}

// unpublished is the state between naming signers and the first revision that they sign.
const (
	unpublished     = "weir.yaml names signers, and nothing is published: everything is denied (D32)"
	unpublishedNext = "weir policy publish --reason TEXT, then weir policy approve by another signer"
)

func (a *app) showRevisions(list []listedRevision, s revisions.Standing, signed bool) {
	if s.Sequence == 0 && signed {
		a.printf("%s\nnext: %s\n", unpublished, unpublishedNext)
		return
	}
	if s.Sequence == 0 {
		a.printf("nothing is published: the built-in policy rules, or policies/ of the project\n")
		return
	}
	var rows [][]string
	for _, r := range list {
		kind := r.Kind
		if r.Restores != 0 {
			kind = fmt.Sprintf("rollback to %d", r.Restores)
		}
		rows = append(rows, []string{count(r.Number), r.Status, kind, r.State, fmt.Sprintf("%.12s", r.Policy), r.Author, r.Approver, when(r.EffectiveAt), r.Reason})
	}
	a.table([]string{"REVISION", "STATUS", "KIND", "STATE", "POLICY", "AUTHOR", "APPROVER", "EFFECTIVE (UTC)", "REASON"}, rows)
	var names []string
	for _, x := range s.Signers {
		names = append(names, x.Name)
	}
	a.printf("\nwho may sign: %s\n", strings.Join(names, ", "))
	for _, why := range s.Ignored {
		a.printf("counts for nothing: %s\n", why)
	}
}

func (a *app) policyShow() *cobra.Command {
	var extract string
	c := &cobra.Command{
		Use: "show REVISION", Short: "What a revision holds: read it before you sign it",
		Long: `Tells who proposed a revision and why, which files it changes, what its tests said and who
would gain or lose. --extract writes its files, to read or compare them.`,
		Example: "  weir policy show 7\n  weir policy show 7 --extract ../revision-7", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := revisionNumber(args[0])
			if err != nil {
				return err
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				r, err := pl.house.ReviewPolicy(ctx, pl.project.Name, n)
				if err != nil {
					return err
				}
				if extract != "" {
					if err := extractPolicy(extract, r.Files); err != nil {
						return err
					}
				}
				if a.json {
					return a.printJSON(r)
				}
				a.showReview(r)
				return nil
			})
		},
	}
	c.Flags().StringVar(&extract, "extract", "", "a folder, new or empty, to write its files to")
	return c
}

// extractPolicy writes a revision's files below a folder, and nowhere else.
func extractPolicy(dir string, files map[string]string) error {
	if held, err := os.ReadDir(dir); err == nil && len(held) > 0 {
		return weir.Errorf(weir.Conflict, "%s holds something", dir).Then("name a new folder")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return weir.Errorf(weir.Invalid, "%w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return weir.Errorf(weir.Invalid, "%w", err)
	}
	defer root.Close()
	for name, text := range files {
		if err := root.MkdirAll(filepath.Dir(filepath.FromSlash(name)), 0o755); err != nil {
			return weir.Errorf(weir.Invalid, "%w", err)
		}
		if err := root.WriteFile(filepath.FromSlash(name), []byte(text), 0o644); err != nil {
			return weir.Errorf(weir.Invalid, "%w", err)
		}
	}
	return nil
}

func (a *app) showReview(v stages.PolicyReview) {
	r := v.Revision
	a.printf("revision %d (%s %s), proposed by %s at %s", r.Number, r.Kind, r.State, r.Author, when(r.ProposedAt))
	if v.Approver != "" {
		a.printf(", approved by %s", v.Approver)
	}
	a.printf("\neffective from %s\n", when(r.EffectiveAt))
	if r.Reason != "" {
		a.printf("reason: %s\n", r.Reason)
	}
	if v.Overtaken {
		a.printf("another revision was approved since: it can't be approved any more, propose it anew\n")
	}
	a.printf("digest %s\n", v.Digest)
	for _, s := range r.Signers {
		a.printf("signer %s %s\n", s.Name, s.Key)
	}
	if r.Kind == revisions.Signers {
		return
	}
	a.printf("policy %.12s, bundle %.12s, %d files, %d changed\n", r.Policy, r.Bundle, len(v.Files), len(v.Changed))
	for i, p := range v.Changed {
		if i == 20 {
			a.printf("  … and %d more\n", len(v.Changed)-i)
			break
		}
		a.printf("  %s\n", p)
	}
	if t := v.Tests; t != nil {
		a.printf("tests: %d, cases: %d, all passed: %s", len(t.Tests), len(t.Cases), yes(t.Passed()))
		if t.Mutation != nil {
			a.printf("; %d of %d broken rules are noticed", t.Mutation.Killed, t.Mutation.Mutants)
		}
		a.printf("\n")
	}
	if v.WhatIf == nil || len(v.WhatIf.Activations) == 0 {
		a.printf("nobody was decided on when it was proposed\n")
		return
	}
	a.printf("\n")
	a.showPolicyDiff("these rules", *v.WhatIf)
}
