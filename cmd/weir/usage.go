package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// wrongArguments says in words what is missing or too much; err is what cobra says.
func wrongArguments(cmd *cobra.Command, args []string, err error) error {
	help := "see: " + cmd.CommandPath() + " --help"
	for _, a := range args {
		if len(cmd.ValidArgs) > 0 && !slices.Contains(cmd.ValidArgs, a) {
			next := "they are " + strings.Join(cmd.ValidArgs, ", ")
			if near := connectors.Nearest(a, cmd.ValidArgs); near != "" {
				next = "did you mean " + near + "? " + next
			}
			return weir.Errorf(weir.Invalid, "%s knows no stage %q", cmd.CommandPath(), a).Then(next)
		}
	}
	wanted := operands(cmd)
	switch need := required(wanted); {
	case len(args) < len(need):
		return weir.Errorf(weir.Invalid, "%s lacks %s", cmd.CommandPath(), strings.Join(need[len(args):], " and ")).
			Then("write: " + cmd.CommandPath() + " " + strings.Join(wanted, " ") + "; " + help)
	case len(wanted) == 0 && len(args) > 0:
		return weir.Errorf(weir.Invalid, "%s takes no argument, and found %q", cmd.CommandPath(), args[0]).Then(help)
	case len(args) > len(wanted):
		next := help
		if slices.ContainsFunc(args, func(a string) bool { return strings.Contains(a, " ") }) || len(wanted) == 1 {
			next = fmt.Sprintf("put quotes around one that holds spaces; %s", help)
		}
		return weir.Errorf(weir.Invalid, "%s takes %s alone, and found %q besides", cmd.CommandPath(), strings.Join(wanted, " "), args[len(wanted)]).Then(next)
	}
	return weir.Errorf(weir.Invalid, "%w", err).Then(help)
}

// operands are the names of a command's arguments, as its Use has them: "A B", "DIR",
// "[DIR]"; "X | Y" is one.
func operands(cmd *cobra.Command) []string {
	_, rest, _ := strings.Cut(cmd.Use, " ")
	rest = strings.ReplaceAll(rest, " | ", "|")
	return strings.Fields(rest)
}

func required(operands []string) []string {
	return slices.DeleteFunc(slices.Clone(operands), func(o string) bool { return strings.HasPrefix(o, "[") })
}
