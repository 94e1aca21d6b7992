package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
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

func (a *app) workerCommand() *cobra.Command {
	var probes string
	var queues []string
	var build string
	var takeOver bool
	c := &cobra.Command{
		Use:   "worker",
		Short: "Work for a project whose Temporal and lake run elsewhere",
		Long: `Polls the project's task queues and does the work. Needs temporal.address, and
lake.endpoint with a catalog, in weir.yaml; on one machine alone, use weir dev. Several workers share
the work; each needs the project's secrets and, if it collects or delivers, its way to
the systems.`,
		Example: "  weir worker\n  weir worker --queues control,pipelines",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.load()
			if err != nil {
				return err
			}
			if p.Temporal.Address == "" || p.Lake.Endpoint == "" {
				return weir.Errorf(weir.Invalid, "a worker needs temporal.address and lake.endpoint").At("weir.yaml").Then("on one machine alone: weir dev")
			}
			var h *health
			if probes != "" {
				if h, _, err = serveHealth(cmd.Context(), probes, a.log); err != nil {
					return err
				}
			}
			if p.Lake.Catalog.Type != "rest" {
				return weir.Errorf(weir.Invalid, "a worker needs lake.catalog, of type rest: the file in .weir is this machine's alone").At("weir.yaml").Then("on one machine alone: weir dev")
			}
			if err := workerQueues(queues); err != nil {
				return err
			}
			pl, err := a.open(cmd.Context(), p, "weir worker", false)
			if err != nil {
				return err
			}
			defer pl.close()
			pl.identity, pl.build, pl.takeOver = workflows.WorkerIdentity(process()), build, takeOver
			c, err := pl.dial(cmd.Context())
			if err != nil {
				return err
			}
			stop, err := pl.work(c, queues...)
			if err != nil {
				return err
			}
			defer stop()
			if h != nil {
				h.started(pl.parts(c))
			}
			a.printf("weir worker: polling for %s\n", p.Name)
			<-cmd.Context().Done()
			return nil
		},
	}
	c.Flags().StringVar(&probes, "health", "", "answer /livez and /readyz at this address, such as :8090")
	c.Flags().StringSliceVar(&queues, "queues", nil, "which work: "+strings.Join(workflows.QueueNames(), ", ")+"; all if left out. Each needs a worker somewhere")
	c.Flags().StringVar(&build, "build", "", "the name of this build in Temporal; newer ones have to sort after older ones (default: the commit's time and revision)")
	c.Flags().BoolVar(&takeOver, "take-over", false, "let workflows run on this build although a newer one has worked: going back")
	return c
}

// parts are what a worker can't do without, and how to ask them.
func (pl *platform) parts(c client.Client) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"temporal": func(ctx context.Context) error {
			_, err := c.CheckHealth(ctx, &client.CheckHealthRequest{})
			return err
		},
		"lake": func(ctx context.Context) error {
			_, err := pl.house.Lake.Store().Stat(ctx, "probe")
			if weir.CodeOf(err) == weir.NotFound {
				return nil // it has answered
			}
			return err
		},
	}
}

func workerQueues(names []string) error {
	for _, name := range names {
		if !slices.Contains(workflows.QueueNames(), name) {
			return weir.Errorf(weir.Invalid, "there is no queue %q", name).At("--queues").Then("choose from " + strings.Join(workflows.QueueNames(), ", "))
		}
	}
	return nil
}

// process is this one, as Temporal's library names it.
func process() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%d@%s", os.Getpid(), host)
}
