package stages

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/permit"
)

const (
	// tries of a batch before the workflow's own, longer back-off takes over.
	tries = 5
	// patience is how long a destination that does not answer is tried in a run that
	// a person waits for; between its tries at most patiencePause.
	patience      = 40 * time.Second
	patiencePause = 8 * time.Second
	// mostSingles bounds how many rows are sent one by one at the last try.
	mostSingles = 500
)

// send delivers rows until each has a final outcome. Rows that the destination
// wants later are admitted anew for each try, the last time one by one, so that
// one that it can't take holds nobody else up. If it takes nothing at all, it is
// away, and the error lets the workflow try again later; else the rest counts as
// unknown and the run goes on (invariant 8).
//
// arrived, which may be nil, tells whether consents came since rows were last
// admitted: then what is not under way is admitted anew before it goes (invariant 6).
func (d *delivering) send(ctx context.Context, out *outcomes, rows []permit.Row, admit func(rows []permit.Row, batch int) ([]permit.Batch, []policies.Refused, error), arrived func(context.Context) bool) error {
	var last error
	total, began, away := len(rows), d.Clock(), false
	for try := 1; len(rows) > 0; try++ {
		if d.enough(try, away && len(rows) == total, d.Clock().Sub(began)) {
			if len(rows) == total {
				return d.away(len(rows), try-1, last)
			}
			if !away {
				last = nil
			}
			for _, r := range rows {
				out.giveUp(r.IdempotencyKey, last)
			}
			return nil
		}
		batch := d.caps.BatchRows
		if try >= tries && len(rows) <= mostSingles {
			batch = 1
		}
		again, wait, err := d.admitted(ctx, out, rows, batch, admit, arrived)
		var gate gateError
		if errors.As(err, &gate) {
			return gate.error
		}
		if code := weir.CodeOf(err); code == weir.Denied || code == weir.Invalid || code == weir.NotFound {
			return err // another try can't help
		}
		if away = err != nil; away {
			last = err
		}
		if rows = again; len(rows) == 0 {
			break
		}
		if last == nil {
			last = errors.New("it asked to wait")
		}
		pause := backoff(try)
		if d.sp.Run.Attended {
			pause = min(pause, patiencePause)
		}
		if err := d.pause(ctx, max(wait, pause)); err != nil {
			return err
		}
	}
	return nil
}

// admitted sends what the gate admits, and asks it again about what consents have
// overtaken while it waited for its turn.
func (d *delivering) admitted(ctx context.Context, out *outcomes, rows []permit.Row, batch int, admit func(rows []permit.Row, batch int) ([]permit.Batch, []policies.Refused, error), arrived func(context.Context) bool) (again []permit.Row, wait time.Duration, failed error) {
	for len(rows) > 0 {
		batches, refused, err := admit(rows, batch)
		if err != nil {
			return nil, 0, gateError{err}
		}
		for _, r := range refused {
			out.stop(rows[r.Row].IdempotencyKey, fmt.Sprint("gate: ", r.Reasons))
		}
		more, overtaken, pause, err := d.sendAll(ctx, out, batches, arrived)
		if again, wait = append(again, more...), max(wait, pause); err != nil {
			failed = err
		}
		if ctx.Err() != nil {
			return nil, 0, gateError{ctx.Err()}
		}
		rows = overtaken
	}
	return again, wait, failed
}

// gateError is an error of the gate or of the run, which ends the tries; any other is
// the destination's.
type gateError struct{ error }

func (e gateError) Unwrap() error { return e.error }

// enough says whether rows were tried often enough. In a run that a person waits
// for, a destination that answers nothing is tried for as long as patience lasts,
// however often that is: it may hang, or refuse at once and come back.
func (d *delivering) enough(try int, away bool, after time.Duration) bool {
	if d.sp.Run.Attended && away {
		return after >= patience
	}
	return try > tries
}

// away is the error of a destination that took nothing. The workflow tries again
// with longer waits, unless a person waits for the run.
func (d *delivering) away(rows, tried int, last error) error {
	err := weir.Errorf(weir.Unavailable, "destination %s did not take %d rows after %d tries: %w", d.sp.Destination, rows, tried, last)
	if !d.sp.Run.Attended {
		return err
	}
	return triedLongEnough{err.Then("the next run sends what is missing")}
}

// triedLongEnough is an error that the workflow passes on: see activities.Final.
type triedLongEnough struct{ error }

func (triedLongEnough) Final() bool { return true }

func (e triedLongEnough) Unwrap() error { return e.error }

// backoff doubles from half a second; it is the same for every try of a number,
// since one worker alone sends to a destination.
func backoff(try int) time.Duration { return 250 * time.Millisecond << min(try, 7) }

func (h *House) pause(ctx context.Context, d time.Duration) error {
	if h.Pause != nil {
		return h.Pause(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
