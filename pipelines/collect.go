package pipelines

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// floorShare is which part of a process's memory limit its heap may fill before a
// collection, however little of it lives.
const floorShare = 8

// collector keeps a pipeline's process from collecting garbage while the heap is far
// from the memory limit. The runtime's pace is a share of what lives (GOGC): where
// little lives, as while files are read, it would collect several times a second what
// is not short. Above the floor the pace is as it was set.
type collector struct {
	pace  int    // GOGC, in per cent
	floor uint64 // bytes

	mu      sync.Mutex
	now     int
	stopped bool
}

// collectLate begins to. It returns nil, and changes nothing, where no limit or no pace
// is set.
func collectLate() *collector {
	limit := debug.SetMemoryLimit(-1)
	pace := debug.SetGCPercent(100)
	debug.SetGCPercent(pace)
	if pace <= 0 || limit == math.MaxInt64 {
		return nil
	}
	c := &collector{pace: pace, floor: uint64(limit) / floorShare, now: pace}
	c.adjust()
	return c
}

// adjust sets the pace up to the next collection, after which it is called again.
func (c *collector) adjust() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	to := c.pace
	if live[0].Value.Kind() == metrics.KindUint64 {
		to = paceFor(live[0].Value.Uint64(), c.floor, c.pace)
	}
	if to != c.now {
		debug.SetGCPercent(to)
		c.now = to
	}
	// The next collection finds this unreachable.
	runtime.SetFinalizer(&cycle{}, func(*cycle) { c.adjust() })
}

// cycle is what one collection frees. It is too large, and has a pointer, so that it
// shares its memory with nothing that lives.
type cycle struct {
	_ *cycle
	_ [3]uint64
}

func (c *collector) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
}

// paceFor is the pace under which a heap of which so much lives is collected at the
// floor or, if that is later, at the pace that was set.
func paceFor(live, floor uint64, pace int) int {
	live = max(live, 1<<20)
	if live >= floor {
		return pace
	}
	return max(pace, int((floor-live)*100/live))
}
