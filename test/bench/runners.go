package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/deploy/embedded"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/jobservice"
	"github.com/weir-cdp/weir/pipelines/roster"
	"github.com/weir-cdp/weir/test/clustertest"
)

// runners: the pipelines of resolve and of segment, each spec as the stage wrote it, on
// Flink, beside the child process that Weir runs them in on one machine and one whose
// graph Beam's Prism executes, over the same object store on the same machine. On Flink
// what steps send each other goes through the store, so one arm of the child process has
// it there too. A spec of a thousandth of the rows tells what a job takes to start on a
// cluster that has just started, as each arm's has: it is in every figure, and a note
// subtracts it.
func (b *bench) runners(ctx context.Context) error {
	if b.kit == nil {
		return fmt.Errorf("people and events are made by the bench kit")
	}
	for _, of := range []struct {
		name string
		rows int
		made func(ctx context.Context, rows int, dir string) error
		want []weir.Stage
	}{
		{"runners_resolve", 1_000_000, b.resolved, []weir.Stage{weir.Train, weir.Resolve}},
		{"runners_segment", 20_000_000, b.kitSegmented, []weir.Stage{weir.Segment}},
	} {
		small, err := b.onRunners(ctx, of.name+"_start", of.rows/1000, of.want, of.made)
		if err != nil {
			return err
		}
		full, err := b.onRunners(ctx, of.name, b.rows(of.rows), of.want, of.made)
		if err != nil {
			return err
		}
		wall := func(arm string) float64 { return full[arm].WallS - small[arm].WallS }
		cpu := func(arm string) float64 { return full[arm].CPUS - small[arm].CPUS }
		var said []string
		for _, arm := range []string{child, childStore, prism, flinkFast, flinkTwo, flinkOne} {
			said = append(said, fmt.Sprintf("%s %.1f s and %.1f s", arm, wall(arm), cpu(arm)))
		}
		b.report.notef("%s: without what %d jobs take to start (%.1f s on Flink, %.1f s in a child process), wall and processor time: %s",
			of.name, len(of.want), small[flinkFast].WallS, small[child].WallS, strings.Join(said, "; "))
	}
	return nil
}

// The arms of runners.
const (
	child      = "weir" // by default, so the rates of the others are told in relation to it
	childStore = "weir, scratch in the object store"
	prism      = "prism"
	flinkFast  = "flink, 2 slots of a worker"
	flinkTwo   = "flink, 2 workers, GOMAXPROCS=1"
	flinkOne   = "flink, 1 worker, GOMAXPROCS=1"
)

// onRunners has a stage leave its specs and runs each again in every arm.
func (b *bench) onRunners(ctx context.Context, name string, rows int, want []weir.Stage, made func(context.Context, int, string) error) (out map[string]measure, err error) {
	dir, err := os.MkdirTemp(b.work, "project")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := made(ctx, rows, dir); err != nil {
		return nil, err
	}
	own, err := embedded.Start(ctx, embedded.Options{Dir: filepath.Join(dir, ".weir"), Workspace: "bench", Command: "bench", Self: []string{b.weir}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, own.Stop()) }()
	store, err := object.Open(ctx, own.Lake())
	if err != nil {
		return nil, err
	}
	// A worker asks for the workspace's; a lake that no `weir` has opened has none.
	if _, err := store.PutIfAbsent(ctx, pipelines.SecretKey, bytes.Repeat([]byte{1}, 32)); err != nil {
		return nil, err
	}
	keys, err := specsOf(ctx, store, want)
	if err != nil {
		return nil, err
	}
	out = map[string]measure{}
	arms := []runnerArm{{name: child}, {name: childStore}, {name: prism}, {flinkFast, 1, 2, 2}, {flinkTwo, 2, 1, 1}, {flinkOne, 1, 1, 1}}
	for round := 1; round <= b.rounds; round++ {
		for i, arm := range arms {
			on, end, err := b.runner(ctx, arm, own)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", arm.name, err)
			}
			m, err := specsAgain(ctx, store, keys, fmt.Sprintf("arm-%d-%d", i, round), on)
			end()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", arm.name, err)
			}
			m.Name, m.Peer, m.Rows, m.Round = name, arm.name, int64(rows), round
			if err := b.report.add(m); err != nil {
				return nil, err
			}
			out[arm.name] = m
		}
	}
	return out, nil
}

// runnerArm is a way to run pipelines: on Flink with so many task managers, each with so
// many slots and a worker of so many processors; none is a child process.
type runnerArm struct {
	name                        string
	managers, slots, processors int
}

// runner starts what an arm needs.
func (b *bench) runner(ctx context.Context, arm runnerArm, own *embedded.Platform) (on pipelines.Runner, end func(), err error) {
	if arm.managers == 0 {
		c := pipelines.Child{Binary: b.weir, Dir: own.Scratch(), Store: own.Lake(), LocalScratch: arm.name != childStore, Memory: pipelineMemory}
		if arm.name == prism {
			c.Args = []string{prismCommand}
			if c.Binary, err = os.Executable(); err != nil {
				return nil, nil, err
			}
		}
		return c, func() {}, nil
	}
	build, err := exec.CommandContext(ctx, b.worker, "version").Output()
	if err != nil {
		return nil, nil, err
	}
	_, id, _ := strings.Cut(strings.TrimSpace(string(build)), "build ")
	t := &lasting{}
	flink, err := t.flink(clustertest.FlinkOptions{Store: own.Lake(), Worker: b.worker, TaskManagers: arm.managers, Slots: arm.slots, Processors: arm.processors})
	if err != nil {
		t.end()
		return nil, nil, err
	}
	return jobservice.New(jobservice.Config{JobService: flink.JobService, REST: flink.REST, Parallelism: arm.managers * arm.slots, Command: flink.Worker, Build: id,
		Store: own.Lake(), Pipelines: roster.Pipelines()}), t.end, nil
}

// specsAgain runs copies of specs one after the other and measures all that this
// process started: the object store, Flink's parts and its workers too.
func specsAgain(ctx context.Context, store *object.Store, keys []string, name string, on pipelines.Runner) (measure, error) {
	var before, after sample
	watch, done := make(chan sample, 1), make(chan struct{})
	go func() { watch <- watchSelf(done) }()
	before.add(os.Getpid())
	started := time.Now()
	for i, key := range keys {
		spec, err := pipelines.ReadSpec(ctx, store, key)
		if err != nil {
			return measure{}, err
		}
		was, err := pipelines.ReadManifest(ctx, store, spec)
		if err != nil {
			return measure{}, err
		}
		folder := fmt.Sprintf("again/%s/%d/", name, i)
		spec.Scratch, spec.Manifest = folder+"scratch/", folder+"manifest.json"
		if err := pipelines.WriteSpec(ctx, store, folder+"spec.json", spec); err != nil {
			return measure{}, err
		}
		got, err := on.Run(ctx, folder+"spec.json", nil)
		if err != nil {
			return measure{}, fmt.Errorf("%s: %w", spec.Stage, err)
		}
		if !reflect.DeepEqual(got, was) { // it names files by their content
			return measure{}, fmt.Errorf("%s left other files than the run did", spec.Stage)
		}
		if err := pipelines.Sweep(ctx, store, spec); err != nil {
			return measure{}, err
		}
	}
	took := time.Since(started)
	after.add(os.Getpid())
	close(done)
	most := <-watch
	return measure{WallS: took.Seconds(), CPUS: float64(after.cpu-before.cpu) / 100, RSSMB: most.largest >> 10, OwnMB: most.own >> 10, TreeMB: most.tree >> 10}, nil
}

// specsOf are the keys of the specs of some stages, in the stages' order.
func specsOf(ctx context.Context, store *object.Store, want []weir.Stage) ([]string, error) {
	found := map[weir.Stage][]string{}
	for info, err := range store.List(ctx, "runs/") {
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(info.Key, "/spec.json") {
			continue
		}
		spec, err := pipelines.ReadSpec(ctx, store, info.Key)
		if err != nil {
			return nil, err
		}
		found[spec.Stage] = append(found[spec.Stage], info.Key)
	}
	var out []string
	for _, stage := range want {
		if len(found[stage]) != 1 {
			return nil, fmt.Errorf("%d specs of %s", len(found[stage]), stage)
		}
		out = append(out, found[stage]...)
	}
	return out, nil
}

// resolved makes a project of people in dir and has it resolve them.
func (b *bench) resolved(ctx context.Context, rows int, dir string) error {
	data, err := b.people(ctx, rows)
	if err != nil {
		return err
	}
	if err := b.peopleProject(ctx, data, dir, 0); err != nil {
		return err
	}
	_, _, err = b.refresh(ctx, dir, string(weir.Collect), string(weir.Conform), string(weir.Resolve))
	return err
}

// kitSegmented makes a lake of profiles and events in dir and computes the kit's segments.
func (b *bench) kitSegmented(ctx context.Context, rows int, dir string) error {
	_, filled, err := b.filled(ctx, rows)
	if err != nil {
		return err
	}
	l, err := b.kitLake(ctx, filled, dir, 1)
	if err != nil {
		return err
	}
	run := weir.Run{Workspace: "bench", ID: weir.NewRunID(benchNow, "segments"), Now: benchNow, Project: l.key}
	_, err = refreshStage(ctx, l.All()[weir.Segment], run)
	return errors.Join(err, l.close())
}
