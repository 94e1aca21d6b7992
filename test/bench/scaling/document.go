package scaling

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Document writes what was measured, and a lake of so many millions of records and
// events on paper, as Markdown.
func Document(w io.Writer, m Measured, a Assumptions, limits Limits, records, events float64) {
	large := m.Large()
	fmt.Fprintf(w, "Measured %s on %s, load %s.\n\n", m.At, m.Machine, m.Load)
	sizes(w, m)
	costs(w, m)
	steps(w, large)
	growth(w, m)
	paper(w, m, a, records, events)
	gives(w, m, a, limits, records, events)
}

func sizes(w io.Writer, m Measured) {
	fmt.Fprintf(w, "### Sizes\n\n| size | records | events | profiles | identifiers | memberships | decisions | deliveries | lake MB | of it raw | core | index |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for i, z := range m.Sizes {
		var all int64
		for _, b := range z.Bytes {
			all += b
		}
		fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d |\n", string(rune('A'+i)), z.Records(), z.Events(), z.Rows["core.profiles"], z.Rows["identity.identifiers"],
			z.Rows["segment.memberships"], z.Rows["consent.decisions"], z.Rows["activation.deliveries"], all/1e6, z.Bytes["raw"]/1e6, z.Bytes["core"]/1e6, z.Bytes["index"]/1e6)
	}
}

// costs are the constants that everything else is computed from.
func costs(w io.Writer, m Measured) {
	fmt.Fprintf(w, "\n### Cost of a full run\n\nProcessor seconds: fixed, and by million. `weir run` counts all processes, the embedded Temporal and S3 store among them; the pipelines alone are below it.\n\n"+
		"| | fixed CPU s | by million records | by million events | scratch MB by million records | by million events | peak MB of a process |\n|---|--:|--:|--:|--:|--:|--:|\n")
	for _, s := range m.Large().Stages {
		c := Fit(points(m, func(z Size) float64 { return z.stage(s.Name).CPUS }))
		fmt.Fprintf(w, "| %s | %.1f | %.1f | %.1f | | | %d |\n", s.Name, c.Fixed, c.Record, c.Event, s.PeakMB)
	}
	for _, p := range m.Large().Pipeline {
		c := Fit(points(m, func(z Size) float64 { return z.pipeline(p.Name).CPUS }))
		s := Fit(points(m, func(z Size) float64 {
			read, written := z.pipeline(p.Name).Scratch()
			return float64(read+written) / 1e6
		}))
		var peak int64
		for _, x := range p.Steps {
			peak = max(peak, x.PeakMB)
		}
		fmt.Fprintf(w, "| pipeline %s | %.1f | %.1f | %.1f | %.0f | %.0f | %d |\n", p.Name, c.Fixed, c.Record, c.Event, s.Record, s.Event, peak)
	}
}

// steps tell where the bytes go, at the largest size.
func steps(w io.Writer, large Size) {
	fmt.Fprintf(w, "\n### Bytes of each step\n\nAt the largest size; scratch objects in the object store, compressed. Steps that had nothing to do are left out.\n\n"+
		"| pipeline | rows read | input bytes a row | shuffle bytes a row | scratch written, bytes a row | scratch to input |\n|---|--:|--:|--:|--:|--:|\n")
	for _, p := range large.Pipeline {
		rows := float64(max(1, p.RowsIn))
		moved, _ := p.Shuffle()
		_, written := p.Scratch()
		fmt.Fprintf(w, "| %s | %d | %.1f | %.2f | %.1f | %.1f |\n", p.Name, p.RowsIn, float64(p.InputBytes)/rows, float64(moved)/rows, float64(written)/rows, float64(written)/float64(max(1, p.InputBytes)))
	}
	fmt.Fprintf(w, "\n| step | tasks | CPU s | references in | their bytes | scratch read MB | written MB | peak MB | with little memory |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, p := range large.Pipeline {
		for _, s := range p.Steps {
			if s.Tasks > 0 {
				fmt.Fprintf(w, "| %s %s | %d | %.1f | %d | %d | %.1f | %.1f | %d | %d |\n", p.Name, s.Name, s.Tasks, s.CPUS, s.Elements, s.Shuffle, float64(s.Read)/1e6, float64(s.Written)/1e6, s.PeakMB, s.TightMB)
			}
		}
	}
}

// growth tells how costs grew between the smallest and the largest size.
func growth(w io.Writer, m Measured) {
	small, large := m.Sizes[0], m.Large()
	rows := [2]float64{float64(small.Records() + small.Events()), float64(large.Records() + large.Events())}
	fmt.Fprintf(w, "\n### What grows how\n\nThe exponent by which a cost grew with the rows, from size A to the largest: 0 constant, 1 linear, 2 quadratic.\n\n| pipeline | CPU | scratch | references | memory |\n|---|--:|--:|--:|--:|\n")
	for _, p := range large.Pipeline {
		q := small.pipeline(p.Name)
		of := func(value func(Pipeline) float64) float64 { return Growth(value(q), value(p), rows[0], rows[1]) }
		fmt.Fprintf(w, "| %s | %.2f | %.2f | %.2f | %.2f |\n", p.Name, of(func(p Pipeline) float64 { return p.CPUS }),
			of(func(p Pipeline) float64 { _, b := p.Scratch(); return float64(b) }),
			of(func(p Pipeline) float64 { _, n := p.Shuffle(); return float64(n) }),
			of(func(p Pipeline) float64 {
				return float64(slices.MaxFunc(p.Steps, func(a, b Step) int { return int(a.PeakMB - b.PeakMB) }).PeakMB)
			}))
	}
}

func paper(w io.Writer, m Measured, a Assumptions, records, events float64) {
	fmt.Fprintf(w, "\n### On paper: %s records, %s events\n\nAssumed, not measured: %d slots of one processor each, %.0f ms a request to the object store, %.0f MB/s a slot, requests of a slot one after the other.\n\n"+
		"| | one worker | tasks | CPU h | references, millions | their GB | requests, millions | scratch TB | rows a task, thousands | memory GB | wall h |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
		millions(records), millions(events), a.Slots, a.RequestMS, a.StreamMBs)
	var cpu, wall float64
	for _, l := range Project(m, a, records, events) {
		cpu, wall = cpu+l.CPUS, wall+l.WallS()
		serial := ""
		if l.Serial {
			serial = "yes"
		}
		fmt.Fprintf(w, "| %s | %s | %.0f | %.1f | %s | %s | %s | %s | %s | %s | %.1f |\n", strings.TrimSpace(l.Stage+" "+l.Step), serial, l.Tasks, l.CPUS/3600,
			known(l.Elements/1e6), known(l.ShuffleGB), known(l.Reads/1e6), known(l.ScratchGB/1e3), known(l.TaskRows/1e3), known(l.MemoryGB), l.WallS()/3600)
	}
	fmt.Fprintf(w, "| **all** | | | **%.0f** | | | | | | | **%.0f** |\n", cpu/3600, wall/3600)
}

func gives(w io.Writer, m Measured, a Assumptions, limits Limits, records, events float64) {
	fmt.Fprintf(w, "\n### What gives way first\n\nThe smallest lake, in the same proportions, at which a line needs more than %.0f GB in one worker, more than %.0f hours, or tasks of more than %.0f thousand rows.\n\n| millions of records | what | of | value there |\n|--:|---|---|---|\n",
		a.WorkerGB, limits.WallH, limits.TaskRows/1e3)
	for _, b := range Breaks(m, a, limits, events/records, records) {
		value := fmt.Sprintf("%.0f GB", b.Line.MemoryGB)
		switch b.What {
		case "time":
			value = fmt.Sprintf("%.1f h, of it %.1f h waiting for the store", b.Line.WallS()/3600, b.Line.ReadS/3600)
		case "task":
			value = fmt.Sprintf("%.0f thousand rows", b.Line.TaskRows/1e3)
		}
		fmt.Fprintf(w, "| %.0f | %s | %s | %s |\n", b.Records, b.What, strings.TrimSpace(b.Line.Stage+" "+b.Line.Step), value)
	}
}

// known is a figure, or nothing for zero.
func known(v float64) string {
	switch {
	case v == 0:
		return ""
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func millions(n float64) string {
	if n >= 1000 {
		return fmt.Sprintf("%g billion", n/1000)
	}
	return fmt.Sprintf("%g million", n)
}
