package embedded

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/weir-cdp/weir/workflows"
)

// TestRestartWithManyWorkflows: killed with 2,000 workflows running, ready again. Ready
// means that a new workflow is started, run and ended. On a machine of its own that is
// promised within 15 s, and the log says what it took; other tests share this one, so
// the test waits longer. WEIR_TEST_WORKFLOWS asks for another number, to see where the
// limit lies.
func TestRestartWithManyWorkflows(t *testing.T) {
	if testing.Short() {
		t.Skip("starts 2,000 workflows: left out by -short")
	}
	n, promised, patience := 2000, 2*time.Minute, 5*time.Minute
	if s := os.Getenv("WEIR_TEST_WORKFLOWS"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		must(t, err)
		promised, patience = 10*time.Minute, 10*time.Minute // to measure, not to judge
	}
	dir := weirDir(t)
	p := spawn(t, dir)
	e, ok := Running(t.Context(), dir)
	if !ok {
		t.Fatal("not found")
	}
	c, err := e.Dial(t.Context(), testLog())
	must(t, err)
	defer c.Close()
	began := time.Now()
	g, ctx := errgroup.WithContext(t.Context())
	g.SetLimit(32)
	for i := range n {
		g.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
				ID: fmt.Sprint("sleeper-", i), TaskQueue: workflows.ControlQueue("shop")}, sleeper)
			return err
		})
	}
	must(t, g.Wait())
	t.Logf("%d workflows started in %v", n, time.Since(began))
	settling, settled := context.WithTimeout(t.Context(), patience)
	defer settled()
	if !poll(settling, 100*time.Millisecond, func() bool { return pendingTasks(t, c) == 0 }) {
		t.Fatal("they do not get to sleep")
	}
	t.Logf("all asleep after %v", time.Since(began))
	p.kill()

	began = time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), promised)
	defer cancel()
	p = spawn(t, dir)
	t.Logf("parts answer after %v", time.Since(began))
	again, err := p.Endpoints.Dial(ctx, testLog())
	must(t, err)
	defer again.Close()
	r, err := workflows.StartRefresh(ctx, again, request("after"))
	must(t, err)
	_, err = r.Result(ctx)
	t.Logf("a refresh was done after %v", time.Since(began))
	must(t, err)
	count, err := again.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Namespace: Namespace, Query: "WorkflowType = 'sleeper' AND ExecutionStatus = 'Running'"})
	must(t, err)
	if count.GetCount() != int64(n) {
		t.Errorf("%d of %d workflows run", count.GetCount(), n)
	}
}

// pendingTasks is the backlog of the control queue.
func pendingTasks(t *testing.T, c client.Client) int64 {
	d, err := c.WorkflowService().DescribeTaskQueue(t.Context(), &workflowservice.DescribeTaskQueueRequest{
		Namespace: Namespace, TaskQueue: &taskqueuepb.TaskQueue{Name: workflows.ControlQueue("shop")},
		TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW, ReportStats: true})
	must(t, err)
	return d.GetStats().GetApproximateBacklogCount()
}
