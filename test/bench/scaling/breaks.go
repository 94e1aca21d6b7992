package scaling

import (
	"math"
	"slices"
	"sort"
)

// Limits are when a line is taken to have given way.
type Limits struct {
	WallH    float64 // hours of one step
	TaskRows float64 // rows of one partition: pipelines plans with 250,000
}

// Day is a run that has to be done each night, and tasks of four times what they are
// planned for.
var Day = Limits{WallH: 8, TaskRows: 1e6}

// Break is where a line gives way as a lake grows in its proportions.
type Break struct {
	Line    Line    // at that size
	What    string  // memory, time, task
	Records float64 // millions
}

// Breaks finds for each line the smallest lake at which it breaks a limit, up to most
// millions of records, the first first.
func Breaks(m Measured, a Assumptions, limits Limits, eventsPerRecord, most float64) []Break {
	at := func(records float64) []Line { return Project(m, a, records, records*eventsPerRecord) }
	var out []Break
	for i := range at(most) {
		for _, what := range []string{"memory", "time", "task"} {
			broken := func(records float64) bool { return at(records)[i].breaks(what, a, limits) }
			if !broken(most) {
				continue
			}
			n := sort.Search(400, func(k int) bool { return broken(size(k, most)) })
			out = append(out, Break{Line: at(size(n, most))[i], What: what, Records: size(n, most)})
		}
	}
	slices.SortStableFunc(out, func(x, y Break) int { return int(math.Copysign(1, x.Records-y.Records)) })
	return out
}

// size is the k-th of 400 sizes between a ten-thousandth of most and most, evenly in
// proportion.
func size(k int, most float64) float64 { return most * math.Pow(10, 4*(float64(k)/400-1)) }

func (l Line) breaks(what string, a Assumptions, limits Limits) bool {
	switch what {
	case "memory":
		return l.MemoryGB > a.WorkerGB
	case "time":
		return l.WallS() > limits.WallH*3600
	}
	return l.TaskRows > limits.TaskRows
}
