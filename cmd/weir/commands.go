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
		a.statusCommand(),
		a.uiCommand(),
		a.queryCommand(),
		a.syncCommand(),
		a.profileCommand(),
		a.identityCommand(),
		a.segmentCommand(),
		a.policyCommand(),
		a.consentCommand(),
		a.activationCommand(),
		a.doctorCommand(),
		a.maintainCommand(),
		a.backupCommand(),
		a.restoreCommand(),
		a.exampleCommand(),
		a.docsCommand(),
		a.versionCommand(),
	}, a.hidden()...)
}
