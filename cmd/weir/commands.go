package main

import "github.com/spf13/cobra"

// commands is the table of contents of the command line.
func (a *app) commands() []*cobra.Command {
	return append([]*cobra.Command{
		a.initCommand(),
		a.devCommand(),
		a.workerCommand(),
		a.runCommand(),
		a.planCommand(),
		a.applyCommand(),
		a.queryCommand(),
		a.exampleCommand(),
		a.versionCommand(),
	}, a.hidden()...)
}
