package scaling

import (
	"math"

	"github.com/weir-cdp/weir/pipelines"
)

// Assumptions are the figures of a projection that nobody measured here.
type Assumptions struct {
	Slots     int     // tasks at the same time, one processor each
	RequestMS float64 // one read of a block from the object store
	StreamMBs float64 // what one slot reads or writes a second
	WorkerGB  float64 // memory of the largest machine
}

// Cloud is what a company may rent without asking.
var Cloud = Assumptions{Slots: 64, RequestMS: 15, StreamMBs: 100, WorkerGB: 64}

// Line is what a step, or a stage that is no pipeline, costs at a size.
type Line struct {
	Stage, Step string
	Serial      bool    // one worker does it, however many there are
	CPUS        float64 // processor seconds
	Tasks       float64
	Elements    float64 // references through the shuffle, those for later steps too
	Reads       float64 // blocks that it reads, a request each
	ShuffleGB   float64
	ScratchGB   float64 // read and written
	MemoryGB    float64 // of a serial step, which holds something of every row
	TaskRows    float64 // of a step that is cut, the rows of one task
	ComputeS    float64 // wall time for the processor
	ReadS       float64 // wall time for requests, one at a time in each slot, and bytes
}

// WallS is the time that a step takes.
func (l Line) WallS() float64 { return l.ComputeS + l.ReadS }

// Project computes a full run over so many millions of records and events.
func Project(m Measured, a Assumptions, records, events float64) []Line {
	large := m.Large()
	var out []Line
	for _, s := range large.Stages {
		if len(large.pipelinesOf(s.Name)) > 0 {
			continue
		}
		cost := Fit(points(m, func(z Size) float64 { return z.stage(s.Name).CPUS }))
		l := Line{Stage: s.Name, Serial: true, Tasks: 1, CPUS: cost.Of(records, events)}
		l.ComputeS = l.CPUS
		out = append(out, l)
	}
	for _, p := range large.Pipeline {
		out = append(out, projectPipeline(m, a, p, records, events)...)
	}
	return out
}

func projectPipeline(m Measured, a Assumptions, p Pipeline, records, events float64) []Line {
	rows := Fit(points(m, func(z Size) float64 { return float64(z.pipeline(p.Name).RowsIn) })).Of(records, events)
	grown := rows / float64(max(1, p.RowsIn))
	partitions := float64(pipelines.Partitions(int64(rows)))
	var out []Line
	before, beforeLarge := 0.0, 0.0 // tasks of the step before
	first, firstLarge := max(1, float64(p.Steps[0].Tasks)*grown), max(1, float64(p.Steps[0].Tasks))
	for i, s := range p.Steps {
		tasks := float64(s.Tasks)
		switch {
		case i == 0:
			tasks = max(1, math.Ceil(float64(s.Tasks)*grown))
		case s.Tasks > 1 && p.Partitions > 1:
			tasks = max(1, math.Ceil(float64(s.Tasks)*partitions/float64(p.Partitions)))
		}
		l := Line{Stage: p.Name, Step: s.Name, Tasks: tasks, Serial: s.Tasks <= 1 && p.Partitions > 1 && i > 0 && s.Name != "manifest"}
		cost := func(of func(Step) float64) float64 {
			return Fit(points(m, func(z Size) float64 { return of(z.pipeline(p.Name).step(s.Name)) })).Of(records, events)
		}
		l.CPUS = cost(func(s Step) float64 { return s.CPUS })
		l.ScratchGB = cost(func(s Step) float64 { return float64(s.Read + s.Written) }) / 1e9
		l.Elements = float64(s.Elements) * first / firstLarge
		if i > 0 { // each task sends to each partition
			l.Elements *= partitions / float64(p.Partitions)
			l.Reads = l.Elements
		}
		if l.Serial && beforeLarge > 0 { // what it reads comes from the step before; the rest passes through
			l.Reads = float64(s.Elements) * before / beforeLarge
		}
		if s.Elements > 0 {
			l.ShuffleGB = l.Elements * float64(s.Shuffle) / float64(s.Elements) / 1e9
		}
		if l.Serial {
			l.MemoryGB = memory(m, p.Name, s.Name, records, events) / 1e3
		} else if tasks > 0 {
			l.TaskRows = rows / tasks
		}
		side := min(float64(a.Slots), max(1, tasks))
		l.ComputeS = l.CPUS / side
		l.ReadS = (l.Reads*a.RequestMS/1e3 + l.ScratchGB*1e3/a.StreamMBs) / side
		if s.Tasks > 0 {
			before, beforeLarge = tasks, float64(s.Tasks)
			out = append(out, l)
		}
	}
	return out
}

// points are a cost at each size.
func points(m Measured, of func(Size) float64) []Point {
	var out []Point
	for _, z := range m.Sizes {
		out = append(out, Point{float64(z.Records()) / 1e6, float64(z.Events()) / 1e6, of(z)})
	}
	return out
}

// pipelinesOf are the graphs that a stage runs.
func (s Size) pipelinesOf(stage string) []Pipeline {
	var out []Pipeline
	for _, p := range s.Pipeline {
		if p.Name == stage || p.Name == "train" && stage == "resolve" {
			out = append(out, p)
		}
	}
	return out
}

// memory is what a step's process would hold, in MB, from the sizes at which it was
// measured with little memory, so that hardly any of it was garbage.
func memory(m Measured, pipeline, step string, records, events float64) float64 {
	tight := Measured{}
	for _, z := range m.Sizes {
		if z.pipeline(pipeline).step(step).TightMB > 0 {
			tight.Sizes = append(tight.Sizes, z)
		}
	}
	return Fit(points(tight, func(z Size) float64 { return float64(z.pipeline(pipeline).step(step).TightMB) })).Of(records, events)
}
