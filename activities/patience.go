package activities

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/weir-cdp/weir"
)

// Patience is how long a step of a run that a person waits for is tried while what
// it needs is away, counted from its first failure. Every try has tries of its own
// inside, of the store's client for one, so the person is told within about a
// minute. A run that nobody waits for goes by the number of attempts alone.
const Patience = 30 * time.Second

// patience remembers since when steps of attended runs fail. It is the worker's, not
// the server's: one that starts anew waits anew.
type patience struct {
	mu    sync.Mutex
	since map[string]time.Time // first failure by step
}

// forgetAfter bounds how long a step that never ended well is remembered: its run
// was cancelled, or went to another worker.
const forgetAfter = time.Hour

// over takes note of a failure, and says whether the step was tried for most.
func (p *patience) over(step string, now time.Time, most time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, at := range p.since {
		if now.Sub(at) > forgetAfter {
			delete(p.since, k)
		}
	}
	first, known := p.since[step]
	if !known {
		first = now
	}
	if now.Sub(first) >= most {
		delete(p.since, step)
		return true
	}
	if p.since == nil {
		p.since = map[string]time.Time{}
	}
	p.since[step] = first
	return false
}

func (p *patience) forget(step string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.since, step)
}

// judge makes an error final once a step of an attended run has been tried for most.
func (p *patience) judge(ctx context.Context, attended bool, most time.Duration, err error) error {
	if !attended {
		return err
	}
	i := activity.GetInfo(ctx)
	step := i.WorkflowExecution.ID + "/" + i.WorkflowExecution.RunID + "/" + i.ActivityID
	if weir.CodeOf(err) != weir.Unavailable {
		p.forget(step)
		return err
	}
	if ctx.Err() == nil && p.over(step, time.Now(), most) {
		return longEnough{err}
	}
	return err
}

// longEnough is an error after which a step is not tried again.
type longEnough struct{ error }

// Final implements Final.
func (longEnough) Final() bool { return true }

func (e longEnough) Unwrap() error { return e.error }
