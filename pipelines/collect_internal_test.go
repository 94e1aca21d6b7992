package pipelines

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// A heap is collected at the floor or at its pace, whichever comes later.
func TestPaceForLeavesLittleAlone(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		live, floor uint64
		pace        int
	}{{0, 256 * mb, 150}, {10 * mb, 256 * mb, 150}, {100 * mb, 256 * mb, 150}, {150 * mb, 256 * mb, 150}, {300 * mb, 256 * mb, 150}, {64 * mb, 256 * mb, 800}, {1 << 40, 256 * mb, 150}, {5 * mb, 0, 150}} {
		live := max(c.live, mb)
		next := float64(live) * (1 + float64(paceFor(c.live, c.floor, c.pace))/100)
		want := max(float64(c.floor), float64(live)*(1+float64(c.pace)/100))
		if math.Abs(next-want) > float64(live)/100+1 { // whole per cents
			t.Errorf("%+v is collected at %.0f MB, want %.0f", c, next/mb, want/mb)
		}
	}
}

// The pace follows what lives, by itself, and is as it was where the heap is large.
func TestCollectLateFollowsTheHeap(t *testing.T) {
	limit, pace := debug.SetMemoryLimit(1<<30), debug.SetGCPercent(150)
	c := collectLate()
	defer func() {
		c.stop()
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(pace)
	}()
	reaches := func(what string, ok func(pace int) bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; runtime.Gosched() {
			runtime.GC()
			c.mu.Lock()
			now := c.now
			c.mu.Unlock()
			if ok(now) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: the pace is %d", what, now)
			}
		}
	}
	reaches("little lives", func(pace int) bool { return pace > 150 })
	func() {
		held := make([]byte, 1<<30/floorShare+1<<20)
		reaches("the floor lives", func(pace int) bool { return pace == 150 })
		runtime.KeepAlive(held)
	}()
	reaches("little lives again", func(pace int) bool { return pace > 150 })
}

func TestCollectLateLeavesTheChoiceOfOthers(t *testing.T) {
	limit, pace := debug.SetMemoryLimit(math.MaxInt64), debug.SetGCPercent(150)
	defer func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(pace)
	}()
	if collectLate() != nil {
		t.Error("without a limit")
	}
	debug.SetMemoryLimit(1 << 30)
	debug.SetGCPercent(-1)
	if collectLate() != nil {
		t.Error("without a pace")
	}
	if got := debug.SetGCPercent(150); got != -1 {
		t.Errorf("the pace became %d", got)
	}
}
