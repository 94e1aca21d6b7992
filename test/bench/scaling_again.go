package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/deploy/embedded"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/test/bench/scaling"
)

// tightMemory is a soft limit below what any pipeline needs: then little is garbage of
// what its process holds, one task runs at a time, and its peaks tell what must be there.
const tightMemory = 160 << 20

// pipelineAgain runs the pipeline that left an account twice more and measures its
// process: as it is, and with little memory, of which only the peaks are kept.
func (b *bench) pipelineAgain(ctx context.Context, own *embedded.Platform, store *object.Store, account string) (p scaling.Pipeline, err error) {
	folder := strings.TrimSuffix(account, "manifest.moved.json")
	if p, err = b.pipelineOnce(ctx, own, store, folder, "again", pipelineMemory); err != nil {
		return p, err
	}
	tight, err := b.pipelineOnce(ctx, own, store, folder, "tight", tightMemory)
	for i := range tight.Steps {
		p.Steps[i].TightMB = tight.Steps[i].PeakMB
	}
	return p, err
}

// pipelineOnce runs a pipeline under another manifest and scratch prefix.
func (b *bench) pipelineOnce(ctx context.Context, own *embedded.Platform, store *object.Store, folder, name string, memory int64) (p scaling.Pipeline, err error) {
	spec, err := pipelines.ReadSpec(ctx, store, folder+"spec.json")
	if err != nil {
		return p, err
	}
	spec.Manifest, spec.Scratch = folder+name+".json", folder+"scratch-"+name+"/"
	if err := pipelines.WriteSpec(ctx, store, folder+"spec-"+name+".json", spec); err != nil {
		return p, err
	}
	secrets := map[string]string{}
	for _, name := range pipelineSecrets {
		secrets[name] = "bench"
	}
	w := watchChild()
	before := childrenTime()
	m, err := pipelines.RunChild(ctx, pipelines.Child{Binary: b.weir, Dir: own.Scratch(), Store: own.Lake(), Memory: memory, Secrets: secrets},
		folder+"spec-"+name+".json", func(p weir.Progress) { w.stepDone(p.Note) })
	w.end()
	if err != nil {
		return p, err
	}
	moved, err := pipelines.ReadMoved(ctx, store, spec.Manifest)
	if err != nil {
		return p, err
	}
	p = scaling.Pipeline{Name: string(m.Stage), CPUS: (childrenTime() - before).Seconds(), Partitions: spec.Partitions, RowsIn: moved.RowsIn,
		InputBytes: moved.InputBytes, OutputBytes: moved.OutputBytes}
	for _, s := range moved.Steps {
		step := scaling.Step{Name: s.Step, Tasks: s.Tasks, Elements: s.Elements, Shuffle: s.Shuffle, Read: s.Read, Written: s.Written}
		step.CPUS, step.PeakMB = w.of(s.Step)
		p.Steps = append(p.Steps, step)
	}
	return p, pipelines.Sweep(ctx, store, spec)
}

// pipelineSecrets are those that pipelines ask for: cmd/weir derives them, here any
// will do.
var pipelineSecrets = []string{"lineage", "workspace"}

// childrenTime is the processor time of all children of this process that ended and
// were waited for; the embedded parts have not ended.
func childrenTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// watcher samples the pipeline process and holds what its steps took: a step begins
// when the last task of the one before has ended.
type watcher struct {
	done  chan struct{}
	watch sync.WaitGroup

	mu      sync.Mutex
	samples []sample
	steps   []stepEnd
}

type stepEnd struct {
	name string
	at   time.Time
}

func watchChild() *watcher {
	w := &watcher{done: make(chan struct{})}
	w.watch.Go(func() {
		tick := time.NewTicker(sampleEvery)
		defer tick.Stop()
		for {
			w.sample()
			select {
			case <-w.done:
				return
			case <-tick.C:
			}
		}
	})
	return w
}

func (w *watcher) end() {
	close(w.done)
	w.watch.Wait()
}

// sample adds what the pipeline process has used so far, if there is one.
func (w *watcher) sample() {
	threads, _ := filepath.Glob("/proc/self/task/*/children")
	for _, t := range threads {
		for _, pid := range strings.Fields(readText(t)) {
			if !bytes.Contains([]byte(readText("/proc/"+pid+"/cmdline")), []byte("\x00pipeline\x00")) {
				continue
			}
			n, err := strconv.Atoi(pid)
			if err != nil {
				continue
			}
			s := sample{at: time.Now()}
			s.add(n)
			w.mu.Lock()
			w.samples = append(w.samples, s)
			w.mu.Unlock()
			return
		}
	}
}

// stepDone notes that a task of a step has ended.
func (w *watcher) stepDone(name string) {
	w.sample()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.steps = append(w.steps, stepEnd{name, time.Now()})
}

// of is what a step took: between the last task of the steps before and its own.
func (w *watcher) of(name string) (cpu float64, peakMB int64) {
	var from, to time.Time
	for _, e := range w.steps {
		if e.name == name {
			to = e.at
		}
	}
	if to.IsZero() {
		return 0, 0
	}
	last := map[string]time.Time{}
	for _, e := range w.steps {
		last[e.name] = e.at
	}
	for other, at := range last {
		if other != name && at.Before(to) && at.After(from) {
			from = at
		}
	}
	u := usage{samples: w.samples}
	peakMB, _ = u.peak(from, to)
	return u.cpuBetween(from, to).Seconds(), peakMB
}
