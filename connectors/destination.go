package connectors

import (
	"context"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/permit"
)

// Destination writes to one configured system.
type Destination interface {
	// Check reaches the system and its credentials.
	Check(ctx context.Context) error
	// Capabilities says what the destination can do; the project is checked
	// against it.
	Capabilities() Capabilities
	// Deliver sends one admitted batch and returns one outcome a row, in order.
	// An error means that nothing is known of any row: the batch is sent again,
	// with the same idempotency keys.
	Deliver(ctx context.Context, batch permit.Batch) ([]Outcome, error)
	Close() error
}

// Capabilities of a destination.
type Capabilities struct {
	Modes       []weir.Mode
	BatchRows   int      // most rows a Deliver takes; 0: 100
	RowsPerSec  float64  // rate limit; 0: none
	Parallel    int      // batches at once; 0: 1
	Obligations []string // that it carries out itself (partition_by_class, include_optout_link, …)
}

// FieldSender is a destination that may not send every field that it is given: a body
// by a template holds those that the template names. Without it all fields are sent.
type FieldSender interface {
	Sends(field string) bool
}

// Finisher is a destination that publishes only after its last batch (a file).
// Finish is called once, after every batch of one activation's run has an
// outcome; calling it twice for one run changes nothing.
type Finisher interface {
	Finish(ctx context.Context, activation string, run weir.Run) error
}

// Outcome is what became of one row.
type Outcome struct {
	Status     OutcomeStatus
	Reply      string        // the destination's answer, shortened, without personal data where it can be helped
	RetryAfter time.Duration // with Retry: at least this long
}

// OutcomeStatus is the fate of one row.
type OutcomeStatus string

// The statuses. Rejected goes to the dead letters; Retry is tried again.
const (
	Delivered OutcomeStatus = "delivered"
	Retry     OutcomeStatus = "retry"
	Rejected  OutcomeStatus = "rejected"
)
