package main

import (
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/deploy/embedded"
)

func (a *app) uiCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ui",
		Short: "A link that opens the web interface of a running weir dev, once",
		Long: `Prints a link to Temporal's web interface. It opens in one browser, which then may
for a week; another browser needs another link. Whoever has the link has the
interface, so it is not for sharing.`,
		Example: "  weir ui",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ends, ok := embedded.Running(cmd.Context(), filepath.Join(a.dir, ".weir"))
			if !ok {
				return weir.Errorf(weir.NotFound, "no weir dev of this project is running").At(a.dir).Then("start it: weir dev")
			}
			link, err := ends.Link(time.Now())
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]string{"link": link})
			}
			a.printf("%s\n", link)
			return nil
		},
	}
}
