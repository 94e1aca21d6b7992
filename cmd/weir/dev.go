package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir/workflows"
)

func (a *app) devCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "dev",
		Short: "The whole platform on this machine, schedules running, until stopped",
		Long: `Starts the embedded parts (Temporal with its web interface, an S3 store, the
catalog) and the workers, applies the project and its schedules, and serves until
stopped. Data lives in .weir; a restart goes on where it was.`,
		Example: "  weir dev --project demo",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.dev(cmd.Context()) },
	}
}

func (a *app) dev(ctx context.Context) error {
	p, err := a.loadToRun(ctx)
	if err != nil {
		return err
	}
	pl, err := a.open(ctx, p, "weir dev", true)
	if err != nil {
		return err
	}
	defer pl.close()
	c, err := pl.dial(ctx)
	if err != nil {
		return err
	}
	stop, err := pl.work(c)
	if err != nil {
		return err
	}
	defer stop()
	key, err := pl.house.Apply(ctx, p)
	if err != nil {
		return err
	}
	if _, err := workflows.Apply(ctx, c, p.Name, schedules(p, key)); err != nil {
		return err
	}
	if err := pl.house.MarkApplied(ctx, p); err != nil {
		return err
	}
	metrics, err := a.serveMetrics(ctx, pl)
	if err != nil {
		return err
	}
	if err := a.showReady(pl, metrics); err != nil {
		return err
	}
	go a.watchRoom(ctx, pl.state())
	var failed <-chan error
	if pl.own != nil {
		failed = pl.own.Err()
	}
	select {
	case <-ctx.Done():
		a.sayf("weir: stopping; what is committed stays, what is under way goes on with the next weir dev\n")
		return nil
	case err := <-failed:
		return err
	}
}

// showReady tells where the parts answer. The link to the web interface is good
// once; it is printed for people only, not into what programs log.
func (a *app) showReady(pl *platform, metrics string) error {
	if a.json {
		return a.printJSON(map[string]any{"ready": true, "endpoints": pl.ends, "metrics": metrics})
	}
	a.printf("weir dev: %s is ready\n", pl.project.Name)
	if pl.embedded {
		link, err := pl.ends.Link(time.Now())
		if err != nil {
			return err
		}
		a.printf("  temporal       %s (namespace %s, token in .weir/temporal-token)\n  web interface  %s (opens once; another link: weir ui)\n  s3             http://%s (keys in .weir/credentials)\n",
			pl.ends.Temporal, pl.ends.Namespace, link, pl.ends.S3)
	}
	a.printf("  metrics        http://%s/metrics (token in .weir/metrics-token)\nStop with Ctrl-C.\n", metrics)
	if pl.project.Policies && len(pl.project.Signers) == 0 {
		a.printf("The rules in policies/ are not signed: whoever can change the files can change the rules. To have\ntwo people sign them: weir policy key new, then signers in weir.yaml.\n")
	}
	return nil
}
