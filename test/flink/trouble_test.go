package flink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/jobservice"
	"github.com/weir-cdp/weir/pipelines/roster"
	"github.com/weir-cdp/weir/test/clustertest"
	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// TestTrouble has one spec of resolve run where something is wrong. Each time what was
// left is gone after it, and the last attempt gives what a child process gave.
func TestTrouble(t *testing.T) {
	pl := newPlace(t)
	f := clustertest.StartFlink(t, clustertest.FlinkOptions{Store: pl.config})
	p := pl.shop(t, "crm", "300")
	p.Receive(t)
	p.Run(t, weirtest.Partial, "--now", now)
	x := newTrouble(t, f, pl.of("crm"), weir.Resolve)
	t.Run("another build", x.anotherBuild)
	t.Run("no worker", x.noWorker)
	t.Run("failing task", x.failingTask)
	t.Run("cancelled", x.cancelled)
	t.Run("two at once", x.twoAtOnce)
	t.Run("job server killed", x.jobServerKilled)
	t.Run("task manager killed", x.taskManagerKilled)
	t.Run("job manager killed", x.jobManagerKilled)
	wordy := pl.shop(t, "wordy", "300")
	withNotes(t, wordy)
	wordy.Run(t, weirtest.Partial, "collect", "conform", "--now", now)
	x = newTrouble(t, f, pl.of("wordy"), weir.Conform)
	t.Run("folder missing", x.folderMissing)
	t.Run("disk full", x.diskFull)
}

// newTrouble is trouble with the spec of a stage in a lake.
func newTrouble(t *testing.T, f *clustertest.Flink, config object.Config, stage weir.Stage) *trouble {
	t.Helper()
	x := &trouble{f: f, config: config}
	var err error
	if x.store, err = object.Open(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	for _, key := range specs(t, x.store) {
		if spec, err := pipelines.ReadSpec(t.Context(), x.store, key); err == nil && spec.Stage == stage {
			x.key = key
		}
	}
	if x.key == "" {
		t.Fatalf("%s has no spec", stage)
	}
	return x
}

type trouble struct {
	f      *clustertest.Flink
	config object.Config
	store  *object.Store
	key    string
}

func (x *trouble) runner(t *testing.T, change func(*jobservice.Config)) *jobservice.Runner {
	t.Helper()
	c := jobservice.Config{JobService: x.f.JobService, REST: x.f.REST, Parallelism: 2, Command: x.f.Worker, Build: buildOf(t, x.f.Worker),
		Store: x.config, Pipelines: roster.Pipelines(), Poll: pollOften}
	if change != nil {
		change(&c)
	}
	return jobservice.New(c)
}

// clean checks that nothing runs any more.
func (x *trouble) clean(t *testing.T) {
	t.Helper()
	noTrace(t, x.f)
	if x.f.REST == "" {
		return
	}
	all, err := jobservice.NewFlink(x.f.REST).Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range all {
		if !j.Ended() {
			t.Errorf("%s is %s", j.Name, j.State)
		}
	}
}

// same runs the spec and compares.
func (x *trouble) same(t *testing.T, name string, started func()) {
	t.Helper()
	fresh, was, _ := again(t, x.store, x.key, name)
	want, err := pipelines.ReadManifest(t.Context(), x.store, was)
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	disturbed := false
	got, err := x.runner(t, nil).Run(t.Context(), fresh, func(weir.Progress) {
		once.Do(func() { started(); disturbed = true })
	})
	if !disturbed {
		t.Error("the job was over before it was disturbed")
	}
	if err != nil {
		t.Fatal(err)
	}
	if text(t, got) != text(t, want) {
		t.Errorf("on Flink\n%s\nin a child\n%s", text(t, got), text(t, want))
	}
	x.clean(t)
}

func (x *trouble) anotherBuild(t *testing.T) {
	fresh, _, _ := again(t, x.store, x.key, "build")
	_, err := x.runner(t, func(c *jobservice.Config) { c.Build = "of-yesterday" }).Run(t.Context(), fresh, nil)
	if weir.CodeOf(err) != weir.Invalid || !strings.Contains(fmt.Sprint(err), "of-yesterday") || !strings.Contains(fmt.Sprint(err), buildOf(t, x.f.Worker)) {
		t.Errorf("got %s: %v", weir.CodeOf(err), err)
	}
	x.clean(t)
}

func (x *trouble) noWorker(t *testing.T) {
	fresh, _, _ := again(t, x.store, x.key, "missing")
	_, err := x.runner(t, func(c *jobservice.Config) { c.Command = "/nonexistent/weir-pipeline" }).Run(t.Context(), fresh, nil)
	if weir.CodeOf(err) != weir.Invalid || !strings.Contains(fmt.Sprint(err), "runner.worker") {
		t.Errorf("got %s: %v", weir.CodeOf(err), err)
	}
	x.clean(t)
}

func (x *trouble) failingTask(t *testing.T) {
	spec, err := pipelines.ReadSpec(t.Context(), x.store, x.key)
	if err != nil {
		t.Fatal(err)
	}
	spec.Scratch, spec.Manifest, spec.Params = "again/fails/scratch/", "again/fails/manifest.json", json.RawMessage(`[]`)
	if err := pipelines.WriteSpec(t.Context(), x.store, "again/fails/spec.json", spec); err != nil {
		t.Fatal(err)
	}
	_, err = x.runner(t, nil).Run(t.Context(), "again/fails/spec.json", nil)
	if weir.CodeOf(err) != weir.Internal || !strings.Contains(fmt.Sprint(err), "decode the parameters of resolve") || strings.Contains(fmt.Sprint(err), "java") {
		t.Errorf("got %s: %v", weir.CodeOf(err), err)
	}
	x.clean(t)
}

func (x *trouble) cancelled(t *testing.T) {
	fresh, _, spec := again(t, x.store, x.key, "cancelled")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := x.runner(t, nil).Run(ctx, fresh, func(weir.Progress) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	x.clean(t)
	if _, err := pipelines.ReadManifest(t.Context(), x.store, spec); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("a cancelled run left a manifest: %v", err)
	}
	if _, err := x.runner(t, nil).Run(t.Context(), fresh, nil); err != nil {
		t.Errorf("the next attempt: %v", err)
	}
}

func (x *trouble) twoAtOnce(t *testing.T) {
	fresh, was, _ := again(t, x.store, x.key, "two")
	want, err := pipelines.ReadManifest(t.Context(), x.store, was)
	if err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			got, err := x.runner(t, nil).Run(t.Context(), fresh, nil)
			if err != nil {
				t.Error(err)
			} else if text(t, got) != text(t, want) {
				t.Errorf("on Flink\n%s\nin a child\n%s", text(t, got), text(t, want))
			}
		})
	}
	both.Wait()
	x.clean(t)
}

func (x *trouble) jobServerKilled(t *testing.T) {
	x.same(t, "jobserver", func() { x.f.JobServer.Kill() })
	x.f.JobServer.Restart(t)
}

func (x *trouble) taskManagerKilled(t *testing.T) {
	x.same(t, "taskmanager", func() {
		x.f.TaskManagers[0].KillAlone() // its worker notices by itself
		x.f.TaskManagers[0].Restart(t)
	})
}

// jobManagerKilled: Flink without high availability forgets its jobs. The attempt says
// so and ends; the next one, on a new job, gives what a child process gave.
func (x *trouble) jobManagerKilled(t *testing.T) {
	fresh, was, _ := again(t, x.store, x.key, "jobmanager")
	want, err := pipelines.ReadManifest(t.Context(), x.store, was)
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	_, err = x.runner(t, nil).Run(t.Context(), fresh, func(weir.Progress) {
		once.Do(func() {
			x.f.JobManager.Kill()
			x.f.JobManager.Restart(t)
		})
	})
	if weir.CodeOf(err) != weir.Unavailable || !strings.Contains(fmt.Sprint(err), "job manager was restarted") {
		t.Errorf("got %s: %v", weir.CodeOf(err), err)
	}
	weirtest.Eventually(t, "the task managers are back", func() bool {
		o, err := jobservice.NewFlink(x.f.REST).Overview(t.Context())
		return err == nil && o.TaskManagers == len(x.f.TaskManagers)
	})
	got, err := x.runner(t, nil).Run(t.Context(), fresh, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text(t, got) != text(t, want) {
		t.Errorf("on Flink\n%s\nin a child\n%s", text(t, got), text(t, want))
	}
	x.clean(t)
}
