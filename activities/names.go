package activities

import (
	"time"

	"github.com/weir-cdp/weir"
)

// The registered names. They are in every recorded history: an incompatible
// change of an activity gets a new name (v2), and the old one stays registered
// until no workflow can ask for it.
const (
	PlanName   = "weir.stage.plan.v1"
	RunName    = "weir.stage.run.v1"
	CommitName = "weir.stage.commit.v1"
	KeepName   = "weir.stage.keep.v1"
	FailName   = "weir.stage.fail.v1"
	RewindName = "weir.stream.rewind.v1"
	NotifyName = "weir.notify.v1"

	MaintainName = "weir.maintain.v1"

	RecordPolicyName = "weir.policy.record.v1"
)

// PlanInput asks for a stage's plan.
type PlanInput struct {
	Stage weir.Stage `json:"stage"`
	Run   weir.Run   `json:"run"`
	Part  string     `json:"part,omitempty"` // source/stream of collect, destination of activate
}

// RunInput asks for the execution of a written spec.
type RunInput struct {
	Stage weir.Stage `json:"stage"`
	Spec  string     `json:"spec"` // object key
	// Attended is that of the run: see Patience.
	Attended bool `json:"attended,omitempty"`
}

// CommitInput asks for a manifest's tables to become current.
type CommitInput struct {
	Stage    weir.Stage `json:"stage"`
	Manifest string     `json:"manifest"` // object key
	Attended bool       `json:"attended,omitempty"`
}

// KeepInput records a stage that had nothing to do.
type KeepInput struct {
	Stage weir.Stage `json:"stage"`
	Run   weir.Run   `json:"run"`
	Part  string     `json:"part,omitempty"`
}

// FailInput records a stage that failed.
type FailInput struct {
	Stage weir.Stage `json:"stage"`
	Run   weir.Run   `json:"run"`
	Part  string     `json:"part,omitempty"`
	Cause string     `json:"cause"` // bounded
}

// RewindInput makes a stream read everything again.
type RewindInput struct {
	Run  weir.Run `json:"run"`
	Part string   `json:"part"`
	Drop bool     `json:"drop"`
}

// MaintainInput asks for the lake's upkeep.
type MaintainInput struct {
	Workspace string    `json:"workspace"`
	Project   string    `json:"project"` // object key: its retention rules
	Now       time.Time `json:"now"`
}

// RecordPolicyInput asks for a signed entry to be added to the log of policies.
type RecordPolicyInput struct {
	Workspace string `json:"workspace"`
	Draft     string `json:"draft"` // object key
}
