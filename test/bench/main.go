package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// bench is one invocation.
type bench struct {
	weir   string // the binary, absolute
	worker string // a cluster's, absolute
	kit    *kit   // nil: no peers
	scale  float64
	rounds int
	work   string // for data and projects, absolute
	keep   bool
	alone  bool // segments: the hundred alone, without peers
	report *report

	scalingOut string // where scaling writes what it found

	quarter measure // of collect's round 0
}

// measures are what can be asked for by name, in order.
var measures = []struct {
	name string
	run  func(*bench, context.Context) error
}{
	{"csv", (*bench).csv},
	{"postgres", (*bench).postgres},
	{"difference", (*bench).difference},
	{"identity", (*bench).identity},
	{"increment", (*bench).increment},
	{"scores", (*bench).scores},
	{"segments", (*bench).segments},
	{"segincrement", (*bench).segmentIncrement},
	{"live", (*bench).live},
	{"chain", (*bench).chain},
	{"scaling", (*bench).scaling},
	{"gate", (*bench).gate},
	{"policydiff", (*bench).policydiff},
	{"runners", (*bench).runners},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	if prismProcess(ctx) {
		stop()
		return
	}
	written := profile()
	err := run(ctx)
	written()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	var names []string
	for _, m := range measures {
		names = append(names, m.name)
	}
	b := &bench{}
	flag.StringVar(&b.weir, "weir", "bin/weir", "the binary to measure")
	flag.StringVar(&b.worker, "pipeline-worker", "bin/weir-pipeline", "a cluster's worker of the same build; runners needs it")
	kitDir := flag.String("kit", "../shared/bench", "the folder with the peers' scripts")
	python := flag.String("python", ".cache/bench/bin/python", "the peers' Python; make bench-env makes it")
	flag.Float64Var(&b.scale, "scale", 0.1, "of the full sizes; 1 takes long")
	flag.IntVar(&b.rounds, "rounds", 2, "how often each arm runs")
	flag.StringVar(&b.work, "work", "", "a folder for data, which is kept; default: a temporary one")
	out := flag.String("out", ".cache/bench-results.jsonl", "measures are appended to this file")
	flag.BoolVar(&b.alone, "alone", false, "of segments, Weir's hundred alone: for who changes it")
	doc := flag.String("doc", "", "write the summary to this Markdown file")
	flag.StringVar(&b.scalingOut, "scaling", ".cache/scaling.json", "scaling writes what it found here")
	only := flag.String("only", strings.Join(names, ","), "which measures")
	flag.Parse()
	if b.weir, err = filepath.Abs(b.weir); err != nil {
		return err
	}
	if _, err := os.Stat(b.weir); err != nil {
		return fmt.Errorf("no binary to measure: %w; make build", err)
	}
	if b.worker, err = filepath.Abs(b.worker); err != nil {
		return err
	}
	if b.kit, err = openKit(*kitDir, *python); err != nil {
		fmt.Fprintf(os.Stderr, "bench: peers are skipped: %v\n", err)
	}
	if b.report, err = newReport(*out); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.report.close()) }()
	if err := b.openWork(); err != nil {
		return err
	}
	if !b.keep {
		defer func() { err = errors.Join(err, os.RemoveAll(b.work)) }()
	}
	failed := b.measure(ctx, strings.Split(*only, ","))
	b.report.write(os.Stderr, b.scale)
	if *doc != "" {
		failed = errors.Join(failed, b.report.document(*doc, b.scale))
	}
	return failed
}

// measure runs what was asked for; one that fails doesn't stop the others.
func (b *bench) measure(ctx context.Context, names []string) (failed error) {
	for _, m := range measures {
		if !slices.Contains(names, m.name) || ctx.Err() != nil {
			continue
		}
		if err := m.run(b, ctx); err != nil {
			b.report.notef("%s failed: %v", m.name, err)
			failed = errors.Join(failed, fmt.Errorf("%s: %w", m.name, err))
		}
	}
	return failed
}

func (b *bench) openWork() (err error) {
	if b.work == "" {
		b.work, err = os.MkdirTemp("", "weir-bench")
		return err
	}
	b.keep = true
	if b.work, err = filepath.Abs(b.work); err != nil {
		return err
	}
	return os.MkdirAll(b.work, 0o755)
}

// rows scales a full size, in whole thousands.
func (b *bench) rows(full int) int { return max(1000, int(float64(full)*b.scale)/1000*1000) }
