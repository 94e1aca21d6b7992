package scaling

// Measured is what was found at three sizes.
type Measured struct {
	Machine string `json:"machine"`
	At      string `json:"at"`
	Load    string `json:"load"` // how many processes wanted the cores
	Sizes   []Size `json:"sizes"`
}

// Size is one refresh of a fresh lake.
type Size struct {
	Rows     map[string]int64 `json:"rows"`  // by table
	Bytes    map[string]int64 `json:"bytes"` // of the lake's objects, by the first part of their key
	Stages   []Stage          `json:"stages"`
	Pipeline []Pipeline       `json:"pipelines"`
}

// Stage is a stage within `weir run`, or a destination of activate.
type Stage struct {
	Name   string  `json:"name"`
	CPUS   float64 `json:"cpu_s"` // of all processes, the embedded Temporal and store among them
	WallS  float64 `json:"wall_s"`
	PeakMB int64   `json:"peak_mb"` // of the largest process
	Rows   int64   `json:"rows"`
}

// Pipeline is one Beam graph, run again with its scratch objects in the object store.
type Pipeline struct {
	Name        string  `json:"name"`  // of its stage, or train
	CPUS        float64 `json:"cpu_s"` // of its process alone, start included
	Partitions  int     `json:"partitions"`
	RowsIn      int64   `json:"rows_in"`
	InputBytes  int64   `json:"input_bytes"`
	OutputBytes int64   `json:"output_bytes"`
	Steps       []Step  `json:"steps"`
}

// Step is one step of a pipeline; the last, "manifest", has no tasks.
type Step struct {
	Name     string  `json:"name"`
	Tasks    int64   `json:"tasks"`
	CPUS     float64 `json:"cpu_s"`
	PeakMB   int64   `json:"peak_mb"`  // of the process while the step ran
	TightMB  int64   `json:"tight_mb"` // the same with little memory and one task at a time: hardly any garbage
	Elements int64   `json:"elements"` // through the shuffle before it
	Shuffle  int64   `json:"shuffle_bytes"`
	Read     int64   `json:"scratch_read"`
	Written  int64   `json:"scratch_written"`
}

// Records and Events are the rows of core.records and core.events.
func (s Size) Records() int64 { return s.Rows["core.records"] }

// Events is the rows of core.events.
func (s Size) Events() int64 { return s.Rows["core.events"] }

// Large is the size with most rows.
func (m Measured) Large() Size {
	large := m.Sizes[0]
	for _, s := range m.Sizes[1:] {
		if s.Records()+s.Events() > large.Records()+large.Events() {
			large = s
		}
	}
	return large
}

// stage finds one by name; absent, it cost nothing.
func (s Size) stage(name string) Stage {
	for _, x := range s.Stages {
		if x.Name == name {
			return x
		}
	}
	return Stage{Name: name}
}

func (s Size) pipeline(name string) Pipeline {
	for _, x := range s.Pipeline {
		if x.Name == name {
			return x
		}
	}
	return Pipeline{Name: name}
}

func (p Pipeline) step(name string) Step {
	for _, x := range p.Steps {
		if x.Name == name {
			return x
		}
	}
	return Step{Name: name}
}

// Scratch is what all steps read and wrote of scratch objects, in bytes.
func (p Pipeline) Scratch() (read, written int64) {
	for _, s := range p.Steps {
		read, written = read+s.Read, written+s.Written
	}
	return read, written
}

// Shuffle is the bytes and elements that crossed Beam.
func (p Pipeline) Shuffle() (bytes, elements int64) {
	for _, s := range p.Steps {
		bytes, elements = bytes+s.Shuffle, elements+s.Elements
	}
	return bytes, elements
}
