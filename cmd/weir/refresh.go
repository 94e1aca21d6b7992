package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/workflows"
)

func (a *app) runCommand() *cobra.Command {
	var now string
	var wait time.Duration
	c := &cobra.Command{
		Use:   "run [stage…]",
		Short: "One refresh: all stages or these, then a summary",
		Long: `Runs the stages collect, conform, resolve, unify, segment, decide and activate, or
only those named, in that order. Uses a running "weir dev" of the project if there
is one, else starts the embedded parts and stops them. A source, a store or a
destination that is away is told within about a minute; the next run does what is
missing. A scheduled run tries for longer.`,
		Example: `  weir run
  weir run conform resolve unify
  weir run --now 2026-01-01T00:00:00Z`,
		ValidArgs: stageNames(), Args: cobra.OnlyValidArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := moment("now", now)
			if err != nil {
				return err
			}
			if away := time.Since(at).Abs(); away > 24*time.Hour {
				a.sayf("weir: this run is as of %s: windows and consents are judged as of then, and deliveries are real\n", at.Format(time.RFC3339))
			}
			return a.refreshWithRoom(cmd.Context(), refreshing{now: at, logical: now != "", stages: stagesOf(args), wait: wait, tell: a.summary})
		},
	}
	c.Flags().StringVar(&now, "now", "", "the run's one now, RFC 3339 or a date (midnight UTC); default: its start")
	c.Flags().DurationVar(&wait, "delivery-wait", 0, "how long to wait for the destinations; what is not delivered by then goes on in weir dev, or with the next run")
	return c
}

func stageNames() []string {
	var out []string
	for _, s := range weir.Stages() {
		out = append(out, string(s))
	}
	return out
}

func stagesOf(args []string) []weir.Stage {
	var out []weir.Stage
	for _, s := range weir.Stages() {
		if slices.Contains(args, string(s)) {
			out = append(out, s)
		}
	}
	return out
}

// refreshing is what a refresh is asked to do.
type refreshing struct {
	on      *platform // nil: opened for it
	now     time.Time
	logical bool         // now was chosen by a person
	stages  []weir.Stage // none: all
	wait    time.Duration
	tell    func(workflows.Snapshot) error // what each part did
}

// refresh runs stages once and tells what each did.
func (a *app) refresh(ctx context.Context, r refreshing) error {
	pl := r.on
	if pl == nil {
		load := a.loadToRun
		if !delivers(r.stages) {
			load = func(context.Context) (*project.Project, error) { return a.load() }
		}
		p, err := load(ctx)
		if err != nil {
			return err
		}
		if pl, err = a.open(ctx, p, "weir run", false); err != nil {
			return err
		}
		defer pl.close()
	}
	p := pl.project
	c, err := pl.dial(ctx)
	if err != nil {
		return err
	}
	stop, mine, err := pl.attend(ctx, c, workflows.RefreshID(p.Name))
	if err != nil {
		return err
	}
	defer stop()
	if mine {
		if err := a.finishInterrupted(ctx, c, p.Name); err != nil {
			return err
		}
	}
	run, err := pl.newRun(ctx, r.now, r.logical)
	if err != nil {
		return err
	}
	handle, err := workflows.StartRefresh(ctx, c, workflows.RefreshInput{Run: run, Parts: parts(p), Stages: r.stages, DeliveryWait: r.wait})
	if err != nil {
		return err
	}
	view := a.newProgress()
	snap, err := handle.Watch(ctx, view.show)
	view.end()
	if full := fullDisk(ctx); full != nil {
		return full
	}
	if ctx.Err() != nil {
		// The person asked to stop: what runs is told, what is committed stays.
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err := handle.Cancel(stopCtx)
		if err == nil && mine && p.Runner.Type == "flink" {
			_, _ = handle.Result(stopCtx) // our worker has to hear of it, else it leaves the job to the next one
		}
		return orElseErr(err, weir.Errorf(weir.Unavailable, "interrupted; what was committed stays").Then("weir run"))
	}
	if len(snap.Parts) == 0 && err != nil {
		return err
	}
	place(p, snap)
	if perr := r.tell(snap); perr != nil {
		return perr
	}
	return outcome(snap, err)
}

func orElseErr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// newRun applies the project and names a run of it.
func (pl *platform) newRun(ctx context.Context, now time.Time, logical bool) (weir.Run, error) {
	key, err := pl.house.Apply(ctx, pl.project)
	if err != nil {
		return weir.Run{}, err
	}
	suffix := make([]byte, 3)
	if _, err := rand.Read(suffix); err != nil {
		return weir.Run{}, weir.Errorf(weir.Internal, "name the run: %w", err)
	}
	return weir.Run{Workspace: pl.project.Name, ID: weir.NewRunID(now, hex.EncodeToString(suffix)), Now: now, Logical: logical, Attended: true, Project: key}, nil
}

// parts lists what a refresh of a project is made of.
func parts(p *project.Project) workflows.RefreshPlan {
	var out workflows.RefreshPlan
	for _, s := range p.Sources {
		plan := workflows.SourcePlan{Name: s.Name}
		for _, t := range s.Streams {
			plan.Streams = append(plan.Streams, workflows.StreamRequest{Name: t.Name})
		}
		out.Sources = append(out.Sources, plan)
	}
	for _, d := range p.Destinations {
		plan := workflows.DestinationPlan{Name: d.Name}
		for _, x := range p.Activations {
			if x.Destination == d.Name {
				plan.Activations = append(plan.Activations, x.Name)
			}
		}
		out.Destinations = append(out.Destinations, plan)
	}
	return out
}

// outcome turns a refresh's end into the command's error, already told.
func outcome(s workflows.Snapshot, err error) error {
	switch s.Outcome {
	case workflows.Done, workflows.Unchanged:
		return nil
	case workflows.Partial:
		return &told{weir.Errorf(weir.Partial, "partly done")}
	}
	if err == nil {
		err = weir.Errorf(weir.Internal, "the refresh ended as %s", s.Outcome)
	}
	return &told{err}
}
