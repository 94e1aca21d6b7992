package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"

	"github.com/weir-cdp/weir"
)

// Workflow ids are business ids: what may not run twice at once has one id.

// RefreshID is the lock of a workspace: one refresh at a time.
func RefreshID(workspace string) string { return workspace + "/refresh" }

// CollectID is the lock of a source.
func CollectID(workspace, source string) string { return workspace + "/collect/" + source }

// StreamID is the lock, and the pause, of a stream.
func StreamID(workspace, source, stream string) string {
	return CollectID(workspace, source) + "/" + stream
}

// StageID is the id of conform, resolve, unify, segment or decide.
func StageID(workspace string, stage weir.Stage) string { return workspace + "/" + string(stage) }

// ActivateID is the lock of a destination.
func ActivateID(workspace, destination string) string {
	return workspace + "/" + string(weir.Activate) + "/" + destination
}

// PolicyID is the lock of a revision of the policy that is being published.
func PolicyID(workspace string, number int64) string {
	return fmt.Sprintf("%s/%s/%d", workspace, policyStage, number)
}

// ScheduleID is the id of a source's Temporal Schedule.
func ScheduleID(workspace, source string) string { return schedulePrefix(workspace) + source }

func schedulePrefix(workspace string) string { return workspace + "/schedule/" }

// scheduledID is the id of what a schedule starts; Temporal appends the time.
func scheduledID(workspace, source string) string { return workspace + "/scheduled/" + source }

// The search attributes of every workflow of Weir.
var (
	WorkspaceAttribute = temporal.NewSearchAttributeKeyKeyword("WeirWorkspace")
	StageAttribute     = temporal.NewSearchAttributeKeyKeyword("WeirStage")
	RunAttribute       = temporal.NewSearchAttributeKeyKeyword("WeirRun")
)

// SearchAttributes lists the names (all of type Keyword) that a namespace needs.
func SearchAttributes() []string {
	return []string{WorkspaceAttribute.GetName(), StageAttribute.GetName(), RunAttribute.GetName()}
}

// refreshStage is the stage attribute of a refresh, which is none of the seven.
const refreshStage = "refresh"

// policyStage is the stage attribute of a publication.
const policyStage = "policy"

func attributes(workspace, stage string, run weir.RunID) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(
		WorkspaceAttribute.ValueSet(workspace), StageAttribute.ValueSet(stage), RunAttribute.ValueSet(string(run)))
}

// Task queues divide the workers by what they use up, one set per workspace,
// since a worker acts for one project.

// ControlQueue runs the workflows and the short steps (commit, keep, fail).
func ControlQueue(workspace string) string { return "weir-control-" + workspace }

// IngressQueue runs what waits for sources.
func IngressQueue(workspace string) string { return "weir-ingress-" + workspace }

// PipelineQueue runs what needs the whole machine, one at a time.
func PipelineQueue(workspace string) string { return "weir-pipeline-" + workspace }

// EgressQueue runs what waits for destinations.
func EgressQueue(workspace string) string { return "weir-egress-" + workspace }

// queueOf says where a stage's plan and run steps belong.
func queueOf(workspace string, stage weir.Stage) string {
	switch stage {
	case weir.Collect:
		return IngressQueue(workspace)
	case weir.Activate:
		return EgressQueue(workspace)
	default:
		return PipelineQueue(workspace)
	}
}
