package workflows

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
)

// ScheduleState is how a source's schedule stands.
type ScheduleState struct {
	Source string    `json:"source"`
	Paused bool      `json:"paused"`
	Next   time.Time `json:"next,omitzero"` // zero: paused, or never again
	Last   time.Time `json:"last,omitzero"` // when it last started something
}

// ScheduleStates tells of every schedule of a workspace, by source.
func ScheduleStates(ctx context.Context, c client.Client, workspace string) ([]ScheduleState, error) {
	have, err := Schedules(ctx, c, workspace)
	if err != nil {
		return nil, err
	}
	out := []ScheduleState{}
	for source := range have {
		d, err := c.ScheduleClient().GetHandle(ctx, ScheduleID(workspace, source)).Describe(ctx)
		var gone *serviceerror.NotFound
		if errors.As(err, &gone) {
			continue
		}
		if err != nil {
			return nil, unreachable(err)
		}
		s := ScheduleState{Source: source}
		if d.Schedule.State != nil {
			s.Paused = d.Schedule.State.Paused
		}
		if next := d.Info.NextActionTimes; len(next) > 0 && !s.Paused {
			s.Next = next[0].UTC()
		}
		if recent := d.Info.RecentActions; len(recent) > 0 {
			s.Last = recent[len(recent)-1].ActualTime.UTC()
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b ScheduleState) int { return strings.Compare(a.Source, b.Source) })
	return out, nil
}

// StreamState tells how a stream stands in Temporal: Running or Paused, or the
// empty Outcome where nothing works on it. Without a worker (asked false) a
// stream that is open is told as Waiting: it may be paused, or wait for one.
func StreamState(ctx context.Context, c client.Client, workspace, source, stream string, asked bool) (Report, error) {
	none := Report{Stage: weir.Collect, Part: source + "/" + stream}
	if asked {
		r, err := StreamReport(ctx, c, workspace, source, stream)
		if weir.CodeOf(err) == weir.NotFound {
			return none, nil
		}
		return r, err
	}
	d, err := c.DescribeWorkflowExecution(ctx, StreamID(workspace, source, stream), "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return none, nil
	}
	if err == nil && d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		none.Outcome = Waiting
	}
	return none, unreachable(err)
}
