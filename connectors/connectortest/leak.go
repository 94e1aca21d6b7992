package connectortest

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// NoLeaks fails the test if goroutines of Weir's code that did not run when it
// was called still run when the test ends. It waits for them up to 5 s.
func NoLeaks(t *testing.T) {
	t.Helper()
	before := goroutines()
	t.Cleanup(func() {
		deadline := time.NewTimer(5 * time.Second)
		defer deadline.Stop()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			left := leaked(before)
			if len(left) == 0 {
				return
			}
			select {
			case <-tick.C:
			case <-deadline.C:
				t.Errorf("%d goroutines still run:\n%s", len(left), strings.Join(left, "\n\n"))
				return
			}
		}
	})
}

func leaked(before map[string]string) []string {
	var left []string
	for id, stack := range goroutines() {
		if _, known := before[id]; !known {
			left = append(left, stack)
		}
	}
	return left
}

// goroutines gives the stacks by goroutine id, without those of the test runner
// and of HTTP connections kept for reuse.
func goroutines() map[string]string {
	buf := make([]byte, 4<<20)
	buf = buf[:runtime.Stack(buf, true)]
	out := map[string]string{}
	for _, stack := range strings.Split(string(buf), "\n\n") {
		id, rest, ok := strings.Cut(stack, " [")
		if !ok || strings.Contains(rest, "testing.(*T).Run(") || strings.Contains(rest, "connectortest.goroutines") ||
			strings.Contains(rest, "testing.tRunner.func") ||
			strings.Contains(rest, "net/http.(*persistConn)") || !strings.Contains(rest, "weir-cdp/weir") {
			continue
		}
		out[id] = stack
	}
	return out
}
