// Package permittest lets tests of destinations make batches that hold rows,
// which nothing but the gate can do in the program (invariant 6).
//
// It may be imported by tests alone: every function takes a testing.TB, which
// only a running test has, and test/arch forbids other imports.
//
// Neighbours: connectors/connectortest delivers these batches to every
// destination.
package permittest

import (
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/internal/mint"
	"github.com/weir-cdp/weir/policies/permit"
)

// Batch makes a batch of one activation's run.
func Batch(t testing.TB, activation string, run weir.Run, rows ...permit.Row) permit.Batch {
	t.Helper()
	return BatchOf(t, Permit{Activation: activation, Run: run}, rows...)
}

// Permit is what a batch carries beside its rows.
type Permit struct {
	Activation     string
	Run            weir.Run
	ClassID        string
	PolicyRevision string
	ValidUntil     time.Time
	Obligations    map[string]string
}

// BatchOf makes a batch with all that the gate may say of it.
func BatchOf(t testing.TB, p Permit, rows ...permit.Row) permit.Batch {
	t.Helper()
	if t == nil || !testing.Testing() {
		panic("permittest: only a running test may make a batch")
	}
	return mint.New(mint.Batched(p), rows)
}

// Run is a run with a fixed `now`, for tests that don't care.
func Run(t testing.TB, suffix string) weir.Run {
	t.Helper()
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	return weir.Run{Workspace: "test", ID: weir.NewRunID(now, suffix), Now: now}
}
