// Package workflows orders what happens: deterministic orchestration on
// Temporal, one file per stage verb, register.go is the table of contents.
//
//	Scheduled -> Refresh -> Collect -> CollectStream, one per stream
//	                     -> Conform, Resolve, Unify, Segment, Decide
//	                     -> Activate, one per destination
//
// Workflows know the shape of a stage (plan, run, commit, keep, fail), never
// what it does; they hold progress and references to objects, never rows
// (invariant 10). The client's side (client.go, watch.go, schedules.go) starts,
// watches, pauses and schedules them.
//
// A refresh's workflow id is the workspace's lock. A stream's id is the
// stream's lock, and its pause: a paused stream is a CollectStream that waits
// (stream.go). It survives restarts like any workflow, a backup of Temporal's
// state holds it, and no second store has to agree with it.
//
// Invariants kept here: 8 (a failing stream or destination stops no other), 9
// (recorded histories replay: replay_test.go, testdata/replay).
//
// Neighbours: activities (payload types and registered names); package
// deploy/embedded runs a Temporal server for them and records the histories.
package workflows
