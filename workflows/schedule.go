package workflows

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"sort"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/weir-cdp/weir"
)

// ScheduleSpec is a source's schedule as the project says it. Exactly one of
// Every and Cron is set.
type ScheduleSpec struct {
	Source   string         `json:"source"`
	Every    time.Duration  `json:"every,omitempty"`
	Cron     string         `json:"cron,omitempty"`
	Timezone string         `json:"timezone,omitempty"` // of Cron, IANA; "": UTC
	Input    ScheduledInput `json:"input"`
}

// Change is what Apply did to one schedule.
type Change struct {
	Source string `json:"source"`
	Action string `json:"action"` // create, update, delete
}

// catchup is how late a missed time is made good: for a frequent schedule not
// long, since the next time comes soon; for a rare one half a day, so that a
// laptop opened in the morning does what it slept through.
func (s ScheduleSpec) catchup() time.Duration {
	if s.Every > 0 {
		return min(max(s.Every, 10*time.Minute), 12*time.Hour)
	}
	return 12 * time.Hour
}

// digestKey is the memo of a schedule's action that tells what it was made from.
const digestKey = "weir.digest"

func (s ScheduleSpec) digest() string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // plain data
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (s ScheduleSpec) validate() error {
	if (s.Every > 0) == (s.Cron != "") {
		return weir.Errorf(weir.Invalid, "source %q: a schedule is either an interval or a cron expression", s.Source)
	}
	return nil
}

func (s ScheduleSpec) times() client.ScheduleSpec {
	if s.Every > 0 {
		return client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: s.Every}}}
	}
	return client.ScheduleSpec{CronExpressions: []string{s.Cron}, TimeZoneName: s.Timezone}
}

func (s ScheduleSpec) action() *client.ScheduleWorkflowAction {
	w := s.Input.Workspace
	if s.Source == MaintenanceSchedule {
		return &client.ScheduleWorkflowAction{
			ID:                    scheduledID(w, s.Source),
			Workflow:              MaintainName,
			Args:                  []any{MaintainInput{Workspace: w, Project: s.Input.Project}},
			TaskQueue:             ControlQueue(w),
			Memo:                  map[string]any{digestKey: s.digest()},
			TypedSearchAttributes: attributes(w, "maintain", ""),
		}
	}
	return &client.ScheduleWorkflowAction{
		ID:                    scheduledID(w, s.Source),
		Workflow:              ScheduledName,
		Args:                  []any{s.Input},
		TaskQueue:             ControlQueue(w),
		Memo:                  map[string]any{digestKey: s.digest()},
		TypedSearchAttributes: attributes(w, "scheduled", ""),
	}
}

// Diff tells what Apply would do: have maps the sources with a schedule to the
// digests that they were made from. The order is that of the sources.
func Diff(have map[string]string, want []ScheduleSpec) []Change {
	var out []Change
	wanted := map[string]bool{}
	for _, s := range want {
		wanted[s.Source] = true
		switch d, ok := have[s.Source]; {
		case !ok:
			out = append(out, Change{s.Source, "create"})
		case d != s.digest():
			out = append(out, Change{s.Source, "update"})
		}
	}
	for source := range have {
		if !wanted[source] {
			out = append(out, Change{source, "delete"})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Source < out[j].Source })
	return out
}

// Schedules tells the sources of a workspace that have a schedule, with the
// digest of what each was made from.
func Schedules(ctx context.Context, c client.Client, workspace string) (map[string]string, error) {
	have := map[string]string{}
	list, err := c.ScheduleClient().List(ctx, client.ScheduleListOptions{PageSize: 200})
	if err != nil {
		return nil, unreachable(err)
	}
	for list.HasNext() {
		e, err := list.Next()
		if err != nil {
			return nil, unreachable(err)
		}
		source, ours := strings.CutPrefix(e.ID, schedulePrefix(workspace))
		if !ours {
			continue
		}
		d, err := c.ScheduleClient().GetHandle(ctx, e.ID).Describe(ctx)
		var gone *serviceerror.NotFound
		if errors.As(err, &gone) {
			continue // the list lags behind
		}
		if err != nil {
			return nil, unreachable(err)
		}
		have[source] = digestOf(d)
	}
	return have, nil
}

func digestOf(d *client.ScheduleDescription) string {
	action, ok := d.Schedule.Action.(*client.ScheduleWorkflowAction)
	if !ok {
		return ""
	}
	payload, ok := action.Memo[digestKey].(*commonpb.Payload)
	var digest string
	if !ok || converter.GetDefaultDataConverter().FromPayload(payload, &digest) != nil {
		return ""
	}
	return digest
}
