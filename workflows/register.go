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
	MaintainName      = "weir.maintain.v1"
	PublishPolicyName = "weir.policy.publish.v1"
)

// Register makes every workflow known to w under its stable name: the table of
// contents. Each is a call of its own, since workflowcheck looks at the
// functions that it finds in such calls.
func Register(w worker.WorkflowRegistry) {
	w.RegisterWorkflowWithOptions(Scheduled, named(ScheduledName))
	w.RegisterWorkflowWithOptions(Refresh, named(RefreshName))
	w.RegisterWorkflowWithOptions(Collect, named(CollectName))
	w.RegisterWorkflowWithOptions(CollectStream, named(CollectStreamName))
	w.RegisterWorkflowWithOptions(Conform, named(ConformName))
	w.RegisterWorkflowWithOptions(Resolve, named(ResolveName))
	w.RegisterWorkflowWithOptions(Unify, named(UnifyName))
	w.RegisterWorkflowWithOptions(Segment, named(SegmentName))
	w.RegisterWorkflowWithOptions(Decide, named(DecideName))
	w.RegisterWorkflowWithOptions(Activate, named(ActivateName))
	w.RegisterWorkflowWithOptions(Maintain, named(MaintainName))
	w.RegisterWorkflowWithOptions(PublishPolicy, named(PublishPolicyName))
}

func named(name string) workflow.RegisterOptions { return workflow.RegisterOptions{Name: name} }
