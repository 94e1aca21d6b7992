package embedded

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/weir-cdp/weir/workflows"
)

// TestRestartWithManyWorkflows is the promise of the issue: killed with 2,000
// workflows running, ready again within 15 s. Ready means that a new workflow
// is started, run and ended. WEIR_TEST_WORKFLOWS asks for another number, to
// see where the limit lies.
func TestRestartWithManyWorkflows(t *testing.T) {
	if testing.Short() {
		t.Skip("starts 2,000 workflows: left out by -short")
	}
	n := 2000
	if s := os.Getenv("WEIR_TEST_WORKFLOWS"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		must(t, err)
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
			_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
				ID: fmt.Sprint("sleeper-", i), TaskQueue: workflows.ControlQueue("shop")}, sleeper)
			return err
		})
	}
	must(t, g.Wait())
	t.Logf("%d workflows started in %v", n, time.Since(began))
	eventually(t, "all are asleep", func() bool { return pendingTasks(t, c) == 0 })
	p.kill()

	began = time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
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
	d, err := c.DescribeTaskQueueEnhanced(t.Context(), client.DescribeTaskQueueEnhancedOptions{
		TaskQueue: workflows.ControlQueue("shop"), TaskQueueTypes: []client.TaskQueueType{client.TaskQueueTypeWorkflow}, ReportStats: true})
	must(t, err)
	var n int64
	for _, v := range d.VersionsInfo {
		for _, i := range v.TypesInfo {
			n += i.Stats.ApproximateBacklogCount
		}
	}
	return n
}
