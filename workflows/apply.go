package workflows

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/weir-cdp/weir"
)

// Apply makes a workspace's schedules what want says: missing ones are created,
// others updated or deleted. Applying twice changes nothing the second time. A
// paused schedule stays paused.
//
// The list of schedules is eventually consistent: a schedule that is there
// though the list doesn't know it yet is updated.
func Apply(ctx context.Context, c client.Client, workspace string, want []ScheduleSpec) ([]Change, error) {
	specs := map[string]ScheduleSpec{}
	for _, s := range want {
		if err := s.validate(); err != nil {
			return nil, err
		}
		if s.Input.Workspace != workspace || s.Input.Source != s.Source {
			return nil, weir.Errorf(weir.Internal, "schedule of source %q is for %q of workspace %q", s.Source, s.Input.Source, s.Input.Workspace)
		}
		specs[s.Source] = s
	}
	have, err := Schedules(ctx, c, workspace)
	if err != nil {
		return nil, err
	}
	var done []Change
	for _, change := range Diff(have, want) {
		did, err := applyOne(ctx, c, workspace, change, specs[change.Source])
		if err != nil {
			return done, err
		}
		if did != "" {
			done = append(done, Change{change.Source, did})
		}
	}
	return done, nil
}

func applyOne(ctx context.Context, c client.Client, workspace string, change Change, s ScheduleSpec) (string, error) {
	handle := c.ScheduleClient().GetHandle(ctx, ScheduleID(workspace, change.Source))
	switch change.Action {
	case "delete":
		err := handle.Delete(ctx)
		var gone *serviceerror.NotFound
		if errors.As(err, &gone) {
			return "", nil
		}
		return "delete", refuseSchedule(s, err)
	case "create":
		_, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{
			ID:            ScheduleID(workspace, s.Source),
			Spec:          s.times(),
			Action:        s.action(),
			Overlap:       enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
			CatchupWindow: s.catchup(),
		})
		if err == nil {
			return "create", nil
		}
		if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
			return "", refuseSchedule(s, err)
		}
	}
	changed := false
	err := handle.Update(ctx, client.ScheduleUpdateOptions{DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
		if changed = digestOf(&in.Description) != s.digest(); !changed {
			return nil, temporal.ErrSkipScheduleUpdate
		}
		next := in.Description.Schedule
		spec := s.times()
		next.Spec, next.Action = &spec, s.action()
		next.Policy.Overlap, next.Policy.CatchupWindow = enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, s.catchup()
		return &client.ScheduleUpdate{Schedule: &next}, nil
	}})
	if err == nil && !changed {
		return "", nil
	}
	return "update", refuseSchedule(s, err)
}

// refuseSchedule tells a cron expression or time zone that Temporal refuses from
// a server that does not answer.
func refuseSchedule(s ScheduleSpec, err error) error {
	var invalid *serviceerror.InvalidArgument
	if errors.As(err, &invalid) {
		return weir.Errorf(weir.Invalid, "the schedule is not understood: %s", invalid.Error()).
			At("sources/" + s.Source + ".yaml").Then(`write "every 15m" or a cron expression of five fields`)
	}
	return unreachable(err)
}

// PauseSource pauses (or, with on false, resumes) a source's schedule.
// NotFound: it has none.
func PauseSource(ctx context.Context, c client.Client, workspace, source string, on bool) error {
	handle := c.ScheduleClient().GetHandle(ctx, ScheduleID(workspace, source))
	var err error
	if on {
		err = handle.Pause(ctx, client.SchedulePauseOptions{Note: "weir sync pause"})
	} else {
		err = handle.Unpause(ctx, client.ScheduleUnpauseOptions{Note: "weir sync resume"})
	}
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return weir.Errorf(weir.NotFound, "source %q has no schedule", source).Then(fmt.Sprintf("declare one in sources/%s.yaml, then weir apply", source))
	}
	return unreachable(err)
}
