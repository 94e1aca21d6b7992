package workflows

import (
	"log/slog"
	"slices"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
)

// Work is what the workers of one workspace need.
type Work struct {
	Workspace string
	Stages    map[weir.Stage]activities.Stage
	Rewinder  activities.StreamRewinder
	Notifier  activities.Notifier
	Upkeep    activities.Maintainer
	Policies  activities.PolicyRecorder
	Log       *slog.Logger
	// Queues are those that are polled, as QueueNames has them; none: all.
	Queues []string
	// Build is the version that the control worker polls as: see TakeOver. "": none.
	Build string
	// How many steps run at once; 0: the default.
	Ingress int // streams being read; 4
	Egress  int // destinations being served; 32, since most of them wait
}

// The other widths. A pipeline takes the whole machine.
const (
	controlWidth  = 8
	pipelineWidth = 1
)

// The kinds of queues, by which a worker is told what to do.
const (
	controlKind  = "control"
	ingressKind  = "ingress"
	pipelineKind = "pipelines"
	egressKind   = "egress"
)

// QueueNames are the kinds of queues that a worker may poll: the workflows and short
// steps; reading sources; pipelines; deliveries.
func QueueNames() []string { return []string{controlKind, ingressKind, pipelineKind, egressKind} }

// stopTimeout is how long a stopping worker waits for its steps, which are told
// to stop at once.
const stopTimeout = 10 * time.Second

// Workers polls all queues of a workspace.
type Workers []worker.Worker

// NewWorkers makes one worker per task queue, the control one first if it is among
// them. It runs the workflows; all know every activity.
func NewWorkers(c client.Client, w Work) Workers {
	stages := &activities.Stages{Of: w.Stages, Log: w.Log}
	streams := &activities.Streams{Rewinder: w.Rewinder, Log: w.Log}
	notices := &activities.Notices{Notifier: w.Notifier, Log: w.Log}
	upkeep := &activities.Upkeep{Maintainer: w.Upkeep, Log: w.Log}
	rules := &activities.Policies{Recorder: w.Policies, Log: w.Log}
	var all Workers
	for _, q := range []struct {
		kind, name string
		width      int
	}{
		{controlKind, ControlQueue(w.Workspace), controlWidth},
		{ingressKind, IngressQueue(w.Workspace), orDefault(w.Ingress, 4)},
		{pipelineKind, PipelineQueue(w.Workspace), pipelineWidth},
		{egressKind, EgressQueue(w.Workspace), orDefault(w.Egress, 32)},
	} {
		if len(w.Queues) > 0 && !slices.Contains(w.Queues, q.kind) {
			continue
		}
		control := q.kind == controlKind
		build := ""
		if control {
			build = w.Build
		}
		one := worker.New(c, q.name, worker.Options{
			DeploymentOptions:                  deploymentOptions(w.Workspace, build),
			MaxConcurrentActivityExecutionSize: q.width,
			DisableWorkflowWorker:              !control,
			WorkerStopTimeout:                  stopTimeout,
			// A heartbeat is also the progress that a terminal shows.
			MaxHeartbeatThrottleInterval: time.Second,
			// A loaded laptop takes its time; a real deadlock lasts.
			DeadlockDetectionTimeout:         10 * time.Second,
			MaxConcurrentActivityTaskPollers: 2,
		})
		if control {
			Register(one)
		}
		activities.Register(one, stages, streams, notices, upkeep, rules)
		all = append(all, one)
	}
	return all
}

func orDefault(n, d int) int {
	if n > 0 {
		return n
	}
	return d
}

// Start begins to poll; on an error nothing polls.
func (w Workers) Start() error {
	for i, one := range w {
		if err := one.Start(); err != nil {
			w[:i].Stop()
			return unreachable(err)
		}
	}
	return nil
}

// Stop ends polling and waits for the steps under way, the workflows last: so a
// step that ends now is still recorded.
func (w Workers) Stop() {
	done := make(chan struct{})
	for i := len(w) - 1; i > 0; i-- {
		go func() { w[i].Stop(); done <- struct{}{} }()
	}
	for i := len(w) - 1; i > 0; i-- {
		<-done
	}
	if len(w) > 0 {
		w[0].Stop()
	}
}
