package activities

import (
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
)

// Register makes every activity known to w under its stable name. Which of them
// w is asked for depends on the task queue that it polls.
func Register(w worker.ActivityRegistry, stages *Stages, streams *Streams, notices *Notices, upkeep *Upkeep, policies *Policies) {
	for name, f := range map[string]any{
		PlanName: stages.Plan, RunName: stages.Run, CommitName: stages.Commit,
		KeepName: stages.Keep, FailName: stages.Fail,
		RewindName: streams.Rewind, NotifyName: notices.Notify, MaintainName: upkeep.Maintain,
		RecordPolicyName: policies.Record,
	} {
		w.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
}
