package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// The registered names. They are in every recorded history: an incompatible
// change of a workflow gets a new name, and the old one stays registered until
// no run of it is left.
const (
	RefreshName       = "weir.refresh.v1"
	ScheduledName     = "weir.scheduled.v1"
	CollectName       = "weir.collect.v1"
	CollectStreamName = "weir.collect.stream.v1"
	ConformName       = "weir.conform.v1"
	ResolveName       = "weir.resolve.v1"
	UnifyName         = "weir.unify.v1"
	SegmentName       = "weir.segment.v1"
	DecideName        = "weir.decide.v1"
	ActivateName      = "weir.activate.v1"
)

// contents is all that a control worker can run.
var contents = []struct {
	Name string
	Func any
}{
	{ScheduledName, Scheduled},
	{RefreshName, Refresh},
	{CollectName, Collect},
	{CollectStreamName, CollectStream},
	{ConformName, Conform},
	{ResolveName, Resolve},
	{UnifyName, Unify},
	{SegmentName, Segment},
	{DecideName, Decide},
	{ActivateName, Activate},
}

// Register makes every workflow known to w under its stable name.
func Register(w worker.WorkflowRegistry) {
	for _, c := range contents {
		w.RegisterWorkflowWithOptions(c.Func, workflow.RegisterOptions{Name: c.Name})
	}
}

// Names lists the registered names, in the order of the table of contents.
func Names() []string {
	names := make([]string, len(contents))
	for i, c := range contents {
		names[i] = c.Name
	}
	return names
}
