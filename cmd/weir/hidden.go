package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir/deploy/embedded"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/roster"
)

// hidden are the child processes that weir starts of itself.
func (a *app) hidden() []*cobra.Command {
	return []*cobra.Command{
		{Use: "embedded-s3", Hidden: true, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return embedded.ServeS3(cmd.Context(), os.Stdin)
		}},
		{Use: "pipeline SPEC", Hidden: true, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			if err := pipelines.Main(cmd.Context(), pipelines.Direct{}, args[0], roster.Pipelines()); err != nil {
				return &told{err} // the parent reads it from the output
			}
			return nil
		}},
	}
}
