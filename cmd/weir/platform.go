package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
	"github.com/weir-cdp/weir/deploy/embedded"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/stages"
	"github.com/weir-cdp/weir/workflows"
)

// platform is an opened project: its lake, its Temporal, and the stages.
type platform struct {
	app      *app
	project  *project.Project
	house    *stages.House
	own      *embedded.Platform // nil: external, or another process runs the parts
	ends     embedded.Endpoints // of the embedded parts, whoever runs them
	embedded bool
	config   lakehouse.Config
	closers  []func() error
	// Of a worker that stays:
	identity string // of this process for Temporal; "": the library's
	build    string // the name of this build; "": buildName
	takeOver bool   // from a newer build too
}

// open makes a project's parts reachable. Embedded parts that a `weir dev` runs
// are used, else they are started and stopped with the command, whose name is
// for those who find them running.
func (a *app) open(ctx context.Context, p *project.Project, command string, ui bool) (*platform, error) {
	pl := &platform{app: a, project: p, embedded: p.Lake.Endpoint == "" || p.Temporal.Address == ""}
	if err := pl.open(ctx, command, ui); err != nil {
		return nil, errors.Join(err, pl.close())
	}
	return pl, nil
}

func (pl *platform) open(ctx context.Context, command string, ui bool) error {
	nameBuild()
	a, p := pl.app, pl.project
	dir := filepath.Join(a.dir, ".weir")
	if pl.embedded {
		if ends, ok := embedded.Running(ctx, dir); ok && command != "weir dev" {
			pl.ends = *ends
		} else {
			self, err := os.Executable()
			if err != nil {
				return weir.Errorf(weir.Internal, "find this program: %w", err)
			}
			own, err := embedded.Start(ctx, embedded.Options{Dir: dir, Workspace: p.Name, Command: command, UI: ui, Self: []string{self}, Log: a.log})
			if err != nil {
				return err
			}
			pl.own, pl.ends = own, own.Endpoints()
			pl.closers = append(pl.closers, own.Stop)
		}
	}
	if err := os.MkdirAll(pl.scratch(), 0o700); err != nil { // the embedded parts make it, external ones do not
		return weir.Errorf(weir.Invalid, "make the folder for temporary files: %w", err).Then("check that the project's directory is writable and its disk has space")
	}
	config, err := pl.lakeConfig()
	if err != nil {
		return err
	}
	pl.config = config
	lake, err := lakehouse.Open(ctx, config)
	if err != nil {
		return err
	}
	pl.closers = append(pl.closers, lake.Close)
	pl.house = &stages.House{
		Lake: lake, Connectors: systems(), Dir: a.dir, Memory: filepath.Join(pl.state(), "policy"), Timelines: filepath.Join(pl.state(), "timelines"), Secrets: project.Resolver{Dir: a.dir}, Log: a.log, Clock: time.Now,
		Gate: func(ctx context.Context, p *project.Project) (*policies.Gate, error) { return a.gate(ctx, p) },
		Session: func(ctx context.Context) (*sql.Internal, error) {
			return sql.OpenInternal(ctx, pl.sqlOptions(config.Object))
		},
		Analyst: func(ctx context.Context) (*sql.Session, error) { return sql.Open(ctx, pl.sqlOptions(config.Object)) },
	}
	if p.Temporal.Address != "" {
		pl.house.Rules = func(*project.Project) ([]byte, error) { return policies.Pack(filepath.Join(a.dir, "policies")) }
	}
	runner, err := pl.runner(ctx)
	if err != nil {
		return err
	}
	pl.house.Pipeline = func(ctx context.Context, spec string, progress func(weir.Progress)) error {
		_, err := runner.Run(ctx, spec, progress)
		return err
	}
	return nil
}

// sqlOptions are DuckDB's bounds here.
func (pl *platform) sqlOptions(o object.Config) sql.Options {
	return sql.Options{Store: pl.house.Lake.Store(), CacheDir: filepath.Join(pl.scratch(), "cache"), TempDir: filepath.Join(pl.scratch(), "sql"), MemoryLimit: 1 << 30}
}

// state is the folder of all that is kept on this machine.
func (pl *platform) state() string { return filepath.Join(pl.app.dir, ".weir") }

// scratch is a folder for what may be lost.
func (pl *platform) scratch() string { return filepath.Join(pl.state(), "scratch") }

func (a *app) gate(ctx context.Context, p *project.Project) (*policies.Gate, error) {
	o := policies.Options{}
	if p.Policies {
		o.Dir = filepath.Join(a.dir, "policies")
	}
	return policies.Load(ctx, o)
}

// work starts the workers of this process, of these queues or all, unless another one that runs the
// embedded parts has them.
func (pl *platform) work(c client.Client, queues ...string) (stop func(), err error) {
	byStage := map[weir.Stage]activities.Stage{}
	for name, s := range pl.house.All() {
		byStage[name] = roomy{Stage: s, dir: pl.state()}
	}
	if pl.own != nil && pl.project.Temporal.Address == "" {
		pl.releaseDead(c)
	}
	work := workflows.Work{Workspace: pl.project.Name, Stages: byStage, Rewinder: pl.house,
		Notifier: stages.NewNotifier(pl.project, pl.house.Secrets), Upkeep: pl.house, Policies: pl.house, Log: pl.app.log, Queues: queues}
	if pl.project.Temporal.Address != "" {
		return pl.workVersioned(c, work)
	}
	w := workflows.NewWorkers(c, work)
	return w.Stop, w.Start()
}

// close undoes open, the last first.
func (pl *platform) close() error {
	var errs []error
	for i := len(pl.closers) - 1; i >= 0; i-- {
		errs = append(errs, pl.closers[i]())
	}
	return errors.Join(errs...)
}
