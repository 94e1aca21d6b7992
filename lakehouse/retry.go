package lakehouse

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/weir-cdp/weir"
)

// A commit is tried this often; waiting doubles from firstWait to lastWait, each
// time by a random part of it, so that racing committers spread. Together some
// 15 s: a catalog that is away for longer is reported, and Temporal tries again.
const (
	tries     = 25
	firstWait = 5 * time.Millisecond
	lastWait  = time.Second
)

// retry calls try until it succeeds, says that its error is final, or the tries
// are used up.
func (l *Lake) retry(ctx context.Context, what, name string, try func() (retriable bool, err error)) error {
	wait, away := firstWait, 0
	for n := 1; ; n++ {
		retriable, err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		code := weir.CodeOf(err)
		if code == weir.Unavailable { // the store has already tried for a while by itself
			away++
		}
		if !retriable || catalogRefused(err) != "" || away == 3 || code == weir.Invalid || code == weir.Denied || code == weir.NotFound {
			return failed(what, name, err)
		}
		if n == tries {
			return weir.Errorf(weir.Conflict, "can't %s %s in %d tries: %w", what, name, tries, err).
				At(name).Then("another writer keeps changing the table, or the catalog is away: try again later")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(rand.Int64N(int64(wait))) + wait/4):
		}
		wait = min(2*wait, lastWait)
	}
}
