package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/deploy/embedded"
	"github.com/weir-cdp/weir/stages"
	"github.com/weir-cdp/weir/workflows"
)

// askWait bounds how long a question to a running workflow may take.
const askWait = 5 * time.Second

// statusView is what `weir status --json` prints.
type statusView struct {
	Parts     []stages.PartStatus       `json:"parts"`
	Disk      string                    `json:"disk,omitempty"`   // what is wrong with it: work waits until it is mended
	Policy    string                    `json:"policy,omitempty"` // that it is, or soon will be, too old
	Broken    []stages.BrokenDefinition `json:"broken"`           // segments and traits that cannot be computed
	Schedules []workflows.ScheduleState `json:"schedules"`
	Refresh   *workflows.Snapshot       `json:"refresh,omitempty"` // the running or last one, where a worker could be asked
}

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "How fresh each stream, stage and destination is, and what runs now",
		Long: `Tells of each part: how its last run ended, how long ago it last succeeded, its
rows, and the error if it failed; how to see what is quarantined; the segments and
traits that are broken, with place and reason; then the schedules with their next
time, and the progress of a refresh that a weir dev, run or worker is doing.`,
		Example: "  weir status\n  weir status --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				v, err := pl.status(ctx)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(v)
				}
				a.showStatus(v)
				return nil
			})
		},
	}
}

func (pl *platform) status(ctx context.Context) (statusView, error) {
	v := statusView{Parts: []stages.PartStatus{}, Broken: []stages.BrokenDefinition{}}
	parts, err := pl.house.Status(ctx)
	if err != nil {
		return v, err
	}
	v.Parts = append(v.Parts, parts...)
	broken, err := pl.house.Broken(ctx, pl.project)
	if err != nil {
		return v, err
	}
	v.Broken = append(v.Broken, broken...)
	if full := embedded.Room(pl.state()); full != nil {
		v.Disk = full.Error()
	}
	if end, soon, err := pl.house.PolicyEnds(ctx, pl.project, pl.house.Clock()); err != nil {
		pl.app.log.Warn("the published policies can't be read", "error", err)
	} else if soon {
		v.Policy = end.String() + "; " + stages.PolicyEndNext
	}
	c, err := pl.dial(ctx)
	if err != nil {
		return v, err
	}
	if v.Schedules, err = workflows.ScheduleStates(ctx, c, pl.project.Name); err != nil {
		return v, err
	}
	if pl.own != nil {
		return v, nil // nobody works: nobody could answer
	}
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	if s, err := workflows.Status(ctx, c, pl.project.Name); err == nil {
		v.Refresh = &s
	} else if weir.CodeOf(err) != weir.NotFound {
		pl.app.log.Warn("the refresh can't be asked", "error", err)
	}
	return v, nil
}

func (a *app) showStatus(v statusView) {
	if v.Disk != "" {
		a.printf("%s; what runs waits until there is room\n\n", v.Disk)
	}
	if v.Policy != "" {
		a.printf("%s\n\n", v.Policy)
	}
	if len(v.Parts) == 0 {
		a.printf("nothing has run yet; start with: weir run\n")
	} else {
		var rows [][]string
		for _, s := range v.Parts {
			lag := "never succeeded"
			if !s.SucceededAt.IsZero() {
				lag = ago(s.Lag)
			}
			rows = append(rows, []string{string(s.Stage), s.Part, s.Last.Status, lag, count(s.Last.RowsIn), count(s.Last.RowsOut), quarantined(s.Last), heldBack(s.Last), when(s.Last.EndedAt), cell(s.Last.Error)})
		}
		a.table([]string{"STAGE", "PART", "LAST RUN", "LAG", "ROWS IN", "ROWS OUT", "QUARANTINED", "HELD BACK", "ENDED (UTC)", "ERROR"}, rows)
	}
	a.showQuarantined(v.Parts)
	a.showBroken(v.Broken)
	if len(v.Schedules) > 0 {
		var rows [][]string
		for _, s := range v.Schedules {
			next := when(s.Next)
			if s.Paused {
				next = "paused"
			}
			rows = append(rows, []string{scheduleOf(s.Source), next, when(s.Last)})
		}
		a.printf("\n")
		a.table([]string{"SCHEDULE OF", "NEXT (UTC)", "LAST STARTED (UTC)"}, rows)
	}
	if v.Refresh != nil && v.Refresh.Outcome == workflows.Running {
		var now []string
		for _, r := range v.Refresh.Parts {
			if r.Outcome == workflows.Running {
				now = append(now, strings.TrimSpace(string(r.Stage)+" "+r.Part)+v.step(r))
			}
		}
		a.printf("\nrefresh %s is running since %s: %s\n", v.Refresh.Run.ID, when(v.Refresh.StartedAt), strings.Join(now, ", "))
	}
}

// step is how far a part is. On a full disk each waits, also where its step tells
// no progress: a plan or a commit.
func (v statusView) step(r workflows.Report) string {
	if v.Disk != "" {
		return " (" + waitsForRoom + ")"
	}
	return step(r)
}

// heldBack is how many members of activated segments a run did not send, before it
// asked the policy.
func heldBack(last weir.StageRun) string {
	if n := last.Counts["held_back"]; n > 0 {
		return count(n)
	}
	return ""
}

// quarantined is how much of a part's data lies in ops.quarantine.
func quarantined(last weir.StageRun) string {
	n := last.Counts["quarantined"] + last.Counts["still_quarantined"]
	if n == 0 {
		return ""
	}
	return count(n)
}
