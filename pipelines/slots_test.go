package pipelines

import (
	"math"
	"slices"
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

// Tasks begin with the largest, whatever order they came in, so that two processors
// that take one after the other end within the smallest of each other where one can.
func TestLargestTasksBeginFirst(t *testing.T) {
	of := func(partition int, rows ...int64) work {
		w := work{partition: partition}
		for _, n := range rows {
			w.in = append(w.in, element{Source: &sourceTask{Parts: []sourcePart{{Rows: n}}}})
		}
		return w
	}
	refs := work{partition: 3, in: []element{{Ref: &ref{Bytes: 60}}, {Ref: &ref{Bytes: 90}}, {Result: &result{}}}}
	tasks := []work{of(1, 131), of(4, 7), of(0, 131), refs, of(2, 100, 80)}
	largestFirst(tasks)
	var got []int
	for _, w := range tasks {
		got = append(got, w.partition)
	}
	if want := []int{2, 3, 0, 1, 4}; !slices.Equal(got, want) {
		t.Fatalf("tasks begin in the order %v, not %v", got, want)
	}
}
