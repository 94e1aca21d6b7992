package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// measure is one line of the results, with the bench kit's keys and some more.
type measure struct {
	Name     string         `json:"name"`
	Peer     string         `json:"peer"`
	WallS    float64        `json:"wall_s"`
	Rows     int64          `json:"rows"`
	RowsPerS int64          `json:"rows_per_s"`
	RSSMB    int64          `json:"rss_mb,omitempty"`  // the largest process
	OwnMB    int64          `json:"own_mb,omitempty"`  // of it, what is no page of a file: the program itself is a third of a GB
	TreeMB   int64          `json:"tree_mb,omitempty"` // all processes together, shared pages counted for each
	CPUS     float64        `json:"cpu_s,omitempty"`
	StageS   float64        `json:"stage_s,omitempty"` // of Weir: the stage alone, without start and stop
	Round    int            `json:"round,omitempty"`
	Found    map[string]int `json:"found,omitempty"` // of a difference
	Load1    string         `json:"load1"`
	At       string         `json:"at"`
}

// report collects measures in the order in which they were taken.
type report struct {
	out  *os.File
	all  []measure
	note []string // lines that the summary tells beside the figures
}

func newReport(path string) (*report, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	return &report{out: f}, err
}

func (r *report) close() error { return r.out.Close() }

// add completes a measure, prints it and keeps it.
func (r *report) add(m measure) error {
	if m.WallS > 0 {
		m.RowsPerS = int64(float64(m.Rows) / m.WallS)
	}
	m.Load1, m.At = load1(), time.Now().UTC().Format(time.RFC3339)
	r.all = append(r.all, m)
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	_, werr := r.out.Write(line)
	_, perr := os.Stdout.Write(line)
	return errors.Join(werr, perr)
}

// notef says something that the summary has to tell.
func (r *report) notef(format string, args ...any) {
	r.note = append(r.note, fmt.Sprintf(format, args...))
	fmt.Fprintf(os.Stderr, "bench: %s\n", r.note[len(r.note)-1])
}

// write tells medians by measure and peer, with Weir's ratio to each.
func (r *report) write(w io.Writer, scale float64) {
	fmt.Fprintf(w, "%s; scale %g.\n\n", machine(), scale)
	fmt.Fprintln(w, "| measure | arm | rows | wall s | rows/s | CPU s | largest process MB | its own MB | all MB | stage s | load | Weir's rate to it |")
	fmt.Fprintln(w, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, key := range r.keys() {
		m, ratio := median(r.of(key)), ""
		if ours := r.of([2]string{key[0], "weir"}); len(ours) > 0 && key[1] != "weir" && m.RowsPerS > 0 {
			ratio = fmt.Sprintf("%.2f", float64(median(ours).RowsPerS)/float64(m.RowsPerS))
		}
		fmt.Fprintf(w, "| %s | %s | %d | %.2f | %d | %s | %s | %s | %s | %s | %s | %s |\n", m.Name, m.Peer, m.Rows, m.WallS, m.RowsPerS,
			known("%.1f", m.CPUS), known("%.0f", float64(m.RSSMB)), known("%.0f", float64(m.OwnMB)), known("%.0f", float64(m.TreeMB)), known("%.2f", m.StageS), m.Load1, ratio)
	}
	fmt.Fprintln(w)
	for _, n := range r.note {
		fmt.Fprintf(w, "- %s\n", n)
	}
}

// known is a figure, or nothing where it was not measured.
func known(format string, v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf(format, v)
}

// keys are the measures' names and peers in the order of their first line.
func (r *report) keys() [][2]string {
	var out [][2]string
	for _, m := range r.all {
		if k := [2]string{m.Name, m.Peer}; !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

func (r *report) of(key [2]string) []measure {
	var out []measure
	for _, m := range r.all {
		if m.Name == key[0] && m.Peer == key[1] {
			out = append(out, m)
		}
	}
	return out
}

// median is the round with the median time; of an even number the faster middle
// one, for every arm alike.
func median(rounds []measure) measure {
	sorted := slices.Clone(rounds)
	slices.SortStableFunc(sorted, func(a, b measure) int { return int(1e6 * (a.WallS - b.WallS)) })
	return sorted[(len(sorted)-1)/2]
}

// document writes the summary for people to read later.
func (r *report) document(path string, scale float64) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	fmt.Fprintf(f, `# How fast

The last output of `+"`make bench`"+`, %s; test/bench says how it measures. The figures are of
each arm's median round on one machine; the load column tells how many processes wanted its cores when the arm ended,
the arm's own among them. Ratios carry over to other machines better than figures do.

`, time.Now().UTC().Format("2 January 2006"))
	r.write(f, scale)
	return nil
}

func machine() string {
	memory, cpu := "?", ""
	for line := range strings.Lines(readText("/proc/meminfo")) {
		var kb int64
		if n, _ := fmt.Sscanf(line, "MemTotal: %d kB", &kb); n == 1 {
			memory = fmt.Sprintf("%.0f", float64(kb)/(1<<20))
		}
	}
	for line := range strings.Lines(readText("/proc/cpuinfo")) {
		if _, model, ok := strings.Cut(line, ":"); ok && strings.HasPrefix(line, "model name") {
			cpu = " (" + strings.TrimSpace(model) + ")"
			break
		}
	}
	return fmt.Sprintf("%d cores%s, %s GiB, %s", runtime.NumCPU(), cpu, memory, runtime.Version())
}

func load1() string {
	text, _, _ := strings.Cut(readText("/proc/loadavg"), " ")
	return text
}

func readText(path string) string {
	b, _ := os.ReadFile(path) // not on every system: then nothing is known
	return string(b)
}
