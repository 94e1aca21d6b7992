package stages

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
)

// AttachAll makes every table that finished stages have written a view of sess,
// as of a moment (zero: now). A fixed table without rows yet is there, empty.
func (h *House) AttachAll(ctx context.Context, sess *sql.Session, asOf time.Time) error {
	pins, err := h.pinsAt(ctx, asOf)
	if err != nil {
		return err
	}
	for _, t := range fixedTables() {
		if pins[t.Name] == 0 {
			if err := sess.Attach(ctx, t, nil); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pins)) {
		if name == runsTable || pins[name] == 0 {
			continue
		}
		t, files, err := h.pinned(ctx, name, pins[name])
		if name == quarantineTable && weir.CodeOf(err) == weir.NotFound && !asOf.IsZero() {
			t, files, err = h.quarantineNow(ctx) // it has no long history
		}
		if err == nil {
			err = sess.Attach(ctx, t, files)
		}
		if err != nil {
			return err
		}
	}
	return h.attachRuns(ctx, sess)
}

func (h *House) quarantineNow(ctx context.Context) (schema.Table, []weir.DataFile, error) {
	pins, err := h.Lake.Pins(ctx)
	if err != nil {
		return schema.Table{}, nil, err
	}
	return h.pinned(ctx, quarantineTable, pins[quarantineTable])
}

func (h *House) pinsAt(ctx context.Context, asOf time.Time) (map[string]int64, error) {
	if asOf.IsZero() {
		return h.Lake.Pins(ctx)
	}
	return h.Lake.PinsAsOf(ctx, asOf)
}

// fixedTables are the declared tables but ops.runs.
func fixedTables() []schema.Table {
	return slices.DeleteFunc(schema.Fixed(), func(t schema.Table) bool { return t.Name == runsTable })
}

const runsTable = "ops.runs"

// attachRuns attaches ops.runs itself, which nothing pins.
func (h *House) attachRuns(ctx context.Context, sess *sql.Session) error {
	snap, err := h.Lake.Current(ctx, runsTable)
	if err != nil && weir.CodeOf(err) != weir.NotFound {
		return err
	}
	t, files, err := h.pinned(ctx, runsTable, snap.ID)
	if err != nil {
		return err
	}
	return sess.Attach(ctx, t, files)
}
