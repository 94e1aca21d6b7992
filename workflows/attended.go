package workflows

import (
	"context"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// workerPrefix begins the identity of a worker that stays, unlike that of a command
// that works for itself.
const workerPrefix = "weir-worker "

// WorkerIdentity names a worker that stays: "pid@host" with what it is.
func WorkerIdentity(process string) string { return workerPrefix + process }

// pollTime is how long ago a living worker may have asked for work: a poll that gets
// none is answered after a minute.
const pollTime = 70 * time.Second

// Attended tells how many workers that stay poll a workspace's control queue. One that
// was killed counts for up to a minute more: see Untaken.
func Attended(ctx context.Context, c client.Client, workspace string) (int, error) {
	d, err := c.DescribeTaskQueue(ctx, ControlQueue(workspace), enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return 0, unreachable(err)
	}
	n := 0
	for _, p := range d.GetPollers() {
		if strings.HasPrefix(p.GetIdentity(), workerPrefix) && time.Since(p.GetLastAccessTime().AsTime()) < pollTime {
			n++
		}
	}
	return n, nil
}

// Untaken tells whether a workflow has waited this long for a worker to take it.
func Untaken(ctx context.Context, c client.Client, id string, patience time.Duration) (bool, error) {
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	if gone(err) {
		return false, nil
	}
	if err != nil {
		return false, unreachable(err)
	}
	task := d.GetPendingWorkflowTask()
	return task.GetState() == enumspb.PENDING_WORKFLOW_TASK_STATE_SCHEDULED && time.Since(task.GetScheduledTime().AsTime()) > patience, nil
}
