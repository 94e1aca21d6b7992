package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
)

func (a *app) policyTest() *cobra.Command {
	var quick bool
	c := &cobra.Command{
		Use: "test [DIR]", Short: "Run the rules' own tests and the officers' cases, and see what they would miss",
		Long: `Runs every Rego test and every case, and says which lines of the rules no test reaches.
Then it tries on made-up people what must hold of every policy (one restriction more, or
one field less, never allows; of whom nothing is known, nothing is sent), and breaks each
rule and each condition, one at a time: what no test and no case notices is listed.
` + policyDir,
		Example: "  weir policy test\n  weir policy test --quick", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := a.policyDir(args)
			if err != nil {
				return err
			}
			var r policies.TestReport
			if quick {
				r, err = policies.Test(cmd.Context(), dir)
			} else {
				r, err = policies.Prove(cmd.Context(), dir, a.counting())
				a.counted()
			}
			if err != nil {
				return err
			}
			if a.json {
				err = a.printJSON(r)
			} else {
				a.showTests(dir, r)
			}
			if err == nil && !r.Passed() {
				err = &told{weir.Errorf(weir.Internal, "the policy's tests failed")}
			}
			return err
		},
	}
	c.Flags().BoolVar(&quick, "quick", false, "tests and cases only; a revision is published on the whole")
	return c
}

// counting shows progress on a terminal: one line that moves.
func (a *app) counting() func(weir.Progress) {
	return func(p weir.Progress) {
		if a.terminal() && !a.json && (p.Done%16 == 0 || p.Done == p.Total) {
			a.sayf("\r%-50s", fmt.Sprintf("%d of %d %s %s", p.Done, p.Total, p.Unit, p.Note))
		}
	}
}

func (a *app) counted() {
	if a.terminal() && !a.json {
		a.sayf("\r%-50s\r", "")
	}
}

func (a *app) showTests(dir string, r policies.TestReport) {
	failed := 0
	for _, t := range r.Tests {
		if !t.Passed {
			failed++
			a.printf("FAIL %s: %s %s\n", t.Where, t.Name, t.Detail)
		}
	}
	for _, c := range r.Cases {
		if !c.Passed {
			failed++
			a.printf("FAIL %s: case %s\n", c.At(), strings.Join(slices.DeleteFunc([]string{c.Name, c.Title, "want " + c.Want + ", got " + c.Got, c.Fault}, func(s string) bool { return s == "" }), ": "))
		}
	}
	for _, line := range r.Uncovered {
		a.printf("untested %s\n", line)
	}
	for _, p := range r.Properties {
		for _, v := range p.Violations {
			failed++
			a.printf("FAIL %s: %s\n  %s\n  inputs %s\n", p.Name, p.Title, v, v.Inputs)
		}
	}
	if m := r.Mutation; m != nil {
		for _, x := range m.Survivors {
			a.printf("unnoticed %s: %s: %s\n", x.Where, x.Kind, x.Text)
		}
	}
	a.printf("%s, revision %.12s: %d tests and %d cases, %d failed; tests reach %.1f %% of the rules\n", named(dir), r.Revision, len(r.Tests), len(r.Cases), failed, r.Coverage)
	for _, p := range r.Properties {
		a.printf("%s: %d of %d denials hold\n", p.Name, p.Checked-p.Failed, p.Checked)
	}
	switch m := r.Mutation; {
	case m != nil:
		a.printf("%d of %d broken rules and conditions are noticed\n", m.Killed, m.Mutants)
		if len(m.Survivors) > 0 {
			a.printf("add a case that the policy answers otherwise without each line above, or remove the line\n")
		}
	case r.Proved:
		a.printf("what would go unnoticed is told once all tests and cases pass\n")
	}
}
