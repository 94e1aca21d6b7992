package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/workflows"
)

// working is what a worker is asked to do.
type working struct {
	health   string   // where probes are answered; "": nowhere
	queues   []string // none: all
	build    string   // "": buildName
	takeOver bool
}

func (a *app) workerCommand() *cobra.Command {
	var w working
	c := &cobra.Command{
		Use:   "worker",
		Short: "Work for a project whose Temporal and lake run elsewhere",
		Long: `Polls the project's task queues and does the work. Needs temporal.address, and
lake.endpoint with a catalog, in weir.yaml; on one machine alone, use weir dev.
Several workers share the work; each needs the project's secrets and, if it collects
or delivers, its way to the systems.`,
		Example: "  weir worker\n  weir worker --queues control,pipelines",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.worker(cmd.Context(), w) },
	}
	c.Flags().StringVar(&w.health, "health", "", "answer /livez and /readyz at this address, such as :8090")
	c.Flags().StringSliceVar(&w.queues, "queues", nil, "which work: "+strings.Join(workflows.QueueNames(), ", ")+"; all if left out. Each needs a worker somewhere")
	c.Flags().StringVar(&w.build, "build", "", "the name of this build in Temporal; newer ones have to sort after older ones (default: the commit's time and revision)")
	c.Flags().BoolVar(&w.takeOver, "take-over", false, "let workflows run on this build although a newer one has worked: going back")
	return c
}

func (a *app) worker(ctx context.Context, w working) error {
	p, err := a.load()
	if err != nil {
		return err
	}
	if p.Temporal.Address == "" || p.Lake.Endpoint == "" {
		return weir.Errorf(weir.Invalid, "a worker needs temporal.address and lake.endpoint").At("weir.yaml").Then("on one machine alone: weir dev")
	}
	var h *health
	if w.health != "" {
		if h, _, err = serveHealth(ctx, w.health, a.log); err != nil {
			return err
		}
	}
	if p.Lake.Catalog.Type != "rest" {
		return weir.Errorf(weir.Invalid, "a worker needs lake.catalog, of type rest: the file in .weir is this machine's alone").At("weir.yaml").Then("on one machine alone: weir dev")
	}
	if err := workerQueues(w.queues); err != nil {
		return err
	}
	pl, err := a.open(ctx, p, "weir worker", false)
	if err != nil {
		return err
	}
	defer pl.close()
	pl.identity, pl.build, pl.takeOver = workflows.WorkerIdentity(process()), w.build, w.takeOver
	c, err := pl.dial(ctx)
	if err != nil {
		return err
	}
	stop, err := pl.work(c, w.queues...)
	if err != nil {
		return err
	}
	defer stop()
	if h != nil {
		h.started(pl.parts(c))
	}
	a.printf("weir worker: polling for %s\n", p.Name)
	<-ctx.Done()
	return nil
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
