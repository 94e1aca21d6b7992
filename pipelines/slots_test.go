package pipelines

import (
	"math"
	"testing"
)

// Tasks run on every processor while memory lasts; one always runs.
func TestSlotsFitIntoMemory(t *testing.T) {
	for _, c := range []struct {
		processors int
		memory     int64
		want       int
	}{{2, 768 << 20, 2}, {16, 768 << 20, 2}, {16, 4 << 30, 10}, {8, math.MaxInt64, 8}, {4, 1 << 20, 1}} {
		if got := slots(c.processors, c.memory); got != c.want {
			t.Errorf("%d processors, %d bytes: %d tasks, not %d", c.processors, c.memory, got, c.want)
		}
	}
}
