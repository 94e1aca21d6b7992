package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/workflows"
)

func (a *app) syncCommand() *cobra.Command {
	return group("sync", "Watch and steer the collection of sources",
		"  weir sync ls\n  weir sync start crm\n  weir sync pause crm/contacts",
		a.syncLs(),
		a.syncStart(),
		a.syncHold("pause", "Pause a source's schedule, or one stream", "A source's schedule starts nothing more until it is resumed. A stream is paused at once,\nin the middle of a read too, and stays paused through runs and restarts.", true),
		a.syncHold("resume", "Resume a source's schedule, or one stream", "A stream goes on where it was, at once, with the project's present definitions.", false),
		a.syncAgain("backfill", "Read a stream from the beginning and keep what is there", workflows.Backfill),
		a.syncAgain("reset", "Read a stream from the beginning and replace what is there", workflows.Reset),
	)
}

// streamView is a line of `weir sync ls`.
type streamView struct {
	Stream    string            `json:"stream"`
	Schedule  string            `json:"schedule"` // as the project says
	Next      time.Time         `json:"next,omitzero"`
	Now       workflows.Outcome `json:"now"` // running, paused, waiting or ""
	Last      string            `json:"last"`
	Succeeded time.Time         `json:"succeeded_at,omitzero"`
	RowsOut   int64             `json:"rows_out"`
	Error     string            `json:"error,omitempty"`
}

func (a *app) syncLs() *cobra.Command {
	return &cobra.Command{
		Use: "ls", Short: "All streams: schedule, what they do now, how the last time ended", Example: "  weir sync ls", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				views, err := pl.streams(ctx)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(views)
				}
				var rows [][]string
				for _, v := range views {
					next := when(v.Next)
					now := orDash(string(v.Now))
					if v.Now == workflows.Waiting {
						now = "paused, or waits for a worker"
					}
					rows = append(rows, []string{v.Stream, v.Schedule, next, now, orDash(v.Last), when(v.Succeeded), count(v.RowsOut), cell(v.Error)})
				}
				a.table([]string{"STREAM", "SCHEDULE", "NEXT (UTC)", "NOW", "LAST RUN", "SUCCEEDED (UTC)", "ROWS", "ERROR"}, rows)
				return nil
			})
		},
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (pl *platform) streams(ctx context.Context) ([]streamView, error) {
	c, err := pl.dial(ctx)
	if err != nil {
		return nil, err
	}
	status, err := pl.house.Status(ctx)
	if err != nil {
		return nil, err
	}
	states, err := workflows.ScheduleStates(ctx, c, pl.project.Name)
	if err != nil {
		return nil, err
	}
	out := []streamView{}
	for _, s := range pl.project.Sources {
		schedule := scheduleText(s.Schedule)
		var next time.Time
		for _, x := range states {
			if x.Source == s.Name {
				if next = x.Next; x.Paused {
					schedule += " (paused)"
				}
			}
		}
		for _, t := range s.Streams {
			v := streamView{Stream: s.Name + "/" + t.Name, Schedule: schedule, Next: next}
			for _, x := range status {
				if x.Stage == weir.Collect && x.Part == v.Stream {
					v.Last, v.Succeeded, v.RowsOut, v.Error = x.Last.Status, x.SucceededAt, x.Last.RowsOut, x.Last.Error
				}
			}
			r, err := pl.streamState(ctx, c, s.Name, t.Name)
			if err != nil {
				return nil, err
			}
			v.Now = r.Outcome
			out = append(out, v)
		}
	}
	return out, nil
}

// streamState asks Temporal about a stream; where nobody works, the workflow
// itself can't be asked.
func (pl *platform) streamState(ctx context.Context, c client.Client, source, stream string) (workflows.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	return workflows.StreamState(ctx, c, pl.project.Name, source, stream, pl.own == nil && pl.embedded)
}

func scheduleText(s project.Schedule) string {
	switch {
	case s.Cron != "":
		return s.Cron
	case s.Every > 0:
		return "every " + s.Every.String()
	}
	return "on demand"
}

// target splits SOURCE or SOURCE/STREAM and checks that the project has it.
func target(p *project.Project, arg string) (source project.Source, stream string, err error) {
	name, stream, _ := strings.Cut(arg, "/")
	source, ok := p.Source(name)
	if !ok {
		var have []string
		for _, s := range p.Sources {
			have = append(have, s.Name)
		}
		return source, stream, weir.Errorf(weir.NotFound, "there is no source %q", name).Then("the project has: " + strings.Join(have, ", "))
	}
	if _, ok := source.Stream(stream); stream != "" && !ok {
		var have []string
		for _, t := range source.Streams {
			have = append(have, name+"/"+t.Name)
		}
		return source, stream, weir.Errorf(weir.NotFound, "source %s has no stream %q", name, stream).Then("it has: " + strings.Join(have, ", "))
	}
	return source, stream, nil
}

func (a *app) syncStart() *cobra.Command {
	return &cobra.Command{
		Use: "start SOURCE [STREAM…]", Short: "Collect a source now, or some of its streams",
		Long:    "Collects what is new, without the stages that follow (weir run does those), and waits for the end.",
		Example: "  weir sync start crm\n  weir sync start crm contacts", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				names := args[1:]
				source, first, err := target(pl.project, args[0])
				if err != nil {
					return err
				}
				if first != "" {
					names = append([]string{first}, names...)
				}
				for _, n := range names {
					if _, _, err := target(pl.project, source.Name+"/"+n); err != nil {
						return err
					}
				}
				if len(names) == 0 {
					for _, t := range source.Streams {
						names = append(names, t.Name)
					}
				}
				return pl.collect(ctx, source.Name, "", names)
			})
		},
	}
}

// collect runs one source's collection to its end and tells of it.
func (pl *platform) collect(ctx context.Context, source string, mode workflows.Mode, streams []string) error {
	c, run, done, err := pl.working(ctx, workflows.CollectID(pl.project.Name, source))
	if err != nil {
		return err
	}
	defer done()
	in := workflows.CollectInput{Run: run, Source: source}
	for _, s := range streams {
		in.Streams = append(in.Streams, workflows.StreamRequest{Name: s, Mode: mode})
	}
	started := time.Now()
	h, err := workflows.StartCollect(ctx, c, in)
	if err != nil {
		return err
	}
	r, err := h.Result(ctx)
	if err != nil {
		return err
	}
	if err := pl.app.summary(workflows.Snapshot{Run: run, Outcome: r.Outcome, StartedAt: started, EndedAt: time.Now(), Parts: r.Streams}); err != nil {
		return err
	}
	return outcome(workflows.Snapshot{Outcome: r.Outcome}, nil)
}

// working dials Temporal, makes sure that somebody works on what will have the id, and
// names a run.
func (pl *platform) working(ctx context.Context, id string) (client.Client, weir.Run, func(), error) {
	c, err := pl.dial(ctx)
	if err != nil {
		return nil, weir.Run{}, nil, err
	}
	done, _, err := pl.attend(ctx, c, id)
	if err != nil {
		return nil, weir.Run{}, nil, err
	}
	run, err := pl.newRun(ctx, time.Now().UTC().Truncate(time.Microsecond), false)
	if err != nil {
		done()
	}
	return c, run, done, err
}

func (a *app) syncHold(verb, short, long string, pause bool) *cobra.Command {
	return &cobra.Command{
		Use: verb + " SOURCE | SOURCE/STREAM", Short: short, Long: long,
		Example: "  weir sync " + verb + " crm\n  weir sync " + verb + " crm/contacts", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				source, stream, err := target(pl.project, args[0])
				if err != nil {
					return err
				}
				if err := pl.hold(ctx, source.Name, stream, pause); err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{verb: args[0]})
				}
				a.printf("%sd %s\n", verb, args[0])
				return nil
			})
		},
	}
}

func (pl *platform) hold(ctx context.Context, source, stream string, pause bool) error {
	c, err := pl.dial(ctx)
	if err != nil {
		return err
	}
	if stream == "" {
		return workflows.PauseSource(ctx, c, pl.project.Name, source, pause)
	}
	run, err := pl.newRun(ctx, time.Now().UTC().Truncate(time.Microsecond), false)
	if err != nil {
		return err
	}
	if pause {
		return workflows.PauseStream(ctx, c, run, source, stream)
	}
	if err := workflows.ResumeStream(ctx, c, source, stream, workflows.StreamCommand{Run: &run}); err != nil || pl.own == nil {
		return err
	}
	// Nobody else works here: what was resumed is done before the parts stop.
	stop, err := pl.work(c)
	if err != nil {
		return err
	}
	defer stop()
	return pl.settled(ctx, c, source, stream)
}

// settled waits until nothing works on a stream any more.
func (pl *platform) settled(ctx context.Context, c client.Client, source, stream string) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := workflows.StreamState(ctx, c, pl.project.Name, source, stream, false)
		if err != nil || r.Outcome == "" {
			return err
		}
		select {
		case <-ctx.Done():
			return weir.Errorf(weir.Unavailable, "interrupted; the stream goes on with the next weir run or weir dev").Then("weir sync ls")
		case <-tick.C:
		}
	}
}

func (a *app) syncAgain(verb, short string, mode workflows.Mode) *cobra.Command {
	return &cobra.Command{
		Use: verb + " SOURCE/STREAM", Short: short,
		Long: `Forgets how far the stream was read, reads all of it and waits for the end. With
backfill the rows collected before stay, and those read again win by their key; with
reset they are replaced, so that what the source no longer has is gone. The stages
that follow take it up at the next weir run.`,
		Example: "  weir sync " + verb + " crm/contacts", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				source, stream, err := target(pl.project, args[0])
				if err != nil {
					return err
				}
				if stream == "" {
					return weir.Errorf(weir.Invalid, "%s takes one stream", verb).Then("name it: " + source.Name + "/" + source.Streams[0].Name)
				}
				c, err := pl.dial(ctx)
				if err != nil {
					return err
				}
				state, err := pl.streamState(ctx, c, source.Name, stream)
				if err != nil {
					return err
				}
				if state.Outcome == workflows.Paused || state.Outcome == workflows.Waiting {
					return weir.Errorf(weir.Conflict, "stream %s is paused", args[0]).Then("weir sync resume " + args[0] + ", then " + verb)
				}
				return pl.collect(ctx, source.Name, mode, []string{stream})
			})
		},
	}
}
