package pipelines

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sort"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// taskMemory is how many bytes of rows a task buffers over all its channels
// before it writes them to scratch; tests lower it.
var taskMemory int64 = 32 << 20

// Task is one unit of a step's work. It is used by one goroutine.
type Task struct {
	ctx       context.Context // of this execution; Emit and Output write with it
	rt        *execution
	index     int // of the step
	id        string
	partition int
	source    *sourceTask
	in        map[string][]ref // by channel, sorted

	channels map[string]emitter
	buffered int64
	out      []element
	tables   map[outputKey]tableWriter
	result   result
}

// Spec returns the run's spec; it must not be changed.
func (t *Task) Spec() *Spec { return t.rt.spec }

// Store returns the object store that the spec's keys are in.
func (t *Task) Store() *object.Store { return t.rt.store }

// Context is that of this execution.
func (t *Task) Context() context.Context { return t.ctx }

// Partition returns the partition of a later step's task; of a first step's
// task it is the task's number.
func (t *Task) Partition() int { return t.partition }

// Step returns the name of the step that runs.
func (t *Task) Step() string { return t.rt.pipeline.Steps[t.index].Name }

// Source returns what a first step's task reads: the table, its first file and,
// where the task has a range of a big file's row groups, the first group (-1:
// whole files). Later steps have none.
func (t *Task) Source() (table string, file weir.DataFile, group int) {
	if t.source == nil {
		return "", weir.DataFile{}, -1
	}
	p := t.source.Parts[0]
	if p.Groups == 0 {
		return t.source.Table, p.File, -1
	}
	return t.source.Table, p.File, p.First
}

// Again has a named later step read what this task reads, in a task of this
// number: Rows gives it the same rows.
func (t *Task) Again(step string) error {
	i, ok := t.rt.pipeline.step(step)
	if !ok || i <= t.index || t.source == nil {
		return weir.Errorf(weir.Internal, "step %s can't have %q read its source again", t.Step(), step)
	}
	t.out = append(t.out, element{To: i, At: t.partition, Source: t.source})
	return nil
}

// Pass sends what was sent to this task on a channel on to a partition of a later
// step, "<step>:<channel>": the rows stay where they lie.
func (t *Task) Pass(channel, to string, partition int) error {
	step, name, _ := strings.Cut(to, ":")
	i, ok := t.rt.pipeline.step(step)
	if !ok || i <= t.index || name == "" || strings.Contains(name, "/") {
		return weir.Errorf(weir.Internal, "step %s can't pass channel %q on to %q", t.Step(), channel, to)
	}
	for _, r := range t.in[channel] {
		r.Channel = name
		t.out = append(t.out, element{To: i, At: partition, Ref: &r})
	}
	return nil
}

// Count adds n to a count of the manifest. Counts of repeated executions of a
// task are counted once. `rows_in` and `rows_out` are counted by the engine
// (rows read from source files; rows written, ops tables left out) unless a
// step counts them itself.
func (t *Task) Count(name string, n int64) {
	if t.result.Counts == nil {
		t.result.Counts = map[string]int64{}
	}
	t.result.Counts[name] += n
}

// Secret returns a secret of the workspace by name, from the process's
// environment; NotFound where the run was started without it.
func (t *Task) Secret(name string) (string, error) {
	s, ok := t.rt.secrets[name]
	if !ok || s == "" {
		return "", weir.Errorf(weir.NotFound, "the pipeline was started without the workspace's secret %q", name)
	}
	return s, nil
}

// Params decodes the stage's own parameters.
func Params[P any](t *Task) (P, error) {
	return Shared(t, "params", func() (P, error) {
		var p P
		if err := json.Unmarshal(t.rt.spec.Params, &p); err != nil {
			return p, weir.Errorf(weir.Internal, "decode the parameters of %s: %w", t.rt.spec.Stage, err)
		}
		return p, nil
	})
}

// Shared makes a value once per process and run and returns it to every task
// that asks for name: compiled expressions, models, tables read whole. The value
// must be safe for concurrent use and depend on the spec alone. Where it can't be made,
// who asks next tries anew: a cluster's worker outlives a task that failed.
func Shared[V any](t *Task, name string, make func() (V, error)) (V, error) {
	slot, _ := t.rt.shared.LoadOrStore(sharedKey[V](name), &sharedValue{})
	s := slot.(*sharedValue)
	s.once.Do(func() { s.value, s.err = make() })
	if s.err != nil {
		t.rt.shared.CompareAndDelete(sharedKey[V](name), slot)
		var zero V
		return zero, s.err
	}
	return s.value.(V), nil
}

// Forget lets go of a value that Shared made: who asks for it again makes it anew.
func Forget[V any](t *Task, name string) { t.rt.shared.Delete(sharedKey[V](name)) }

func sharedKey[V any](name string) string { return fmt.Sprintf("%s %T", name, *new(V)) }

// table returns the spec's declaration of a table.
func (t *Task) table(name string) (schema.Table, error) {
	d, ok := t.rt.spec.Schemas[name]
	if !ok {
		return d, weir.Errorf(weir.Internal, "the spec of %s has no schema for the table", t.rt.spec.Stage).At(name)
	}
	return d, nil
}

// finish writes what is buffered and turns the task's work into elements.
func (t *Task) finish() ([]element, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	for _, c := range t.channels {
		c.close()
	}
	if err := t.closeTables(); err != nil {
		return nil, err
	}
	t.result.Task, t.result.Step = fmt.Sprintf("%02d/%s", t.index, t.id), t.index
	if err := t.account(); err != nil {
		return nil, err
	}
	t.out = append(t.out, element{To: toManifest, At: t.partition, Result: &t.result})
	return t.out, nil
}

// closeTables publishes the files of all tables, side by side: each encodes and sends
// what it still holds.
func (t *Task) closeTables() error {
	keys := slices.SortedFunc(maps.Keys(t.tables), func(a, b outputKey) int {
		return cmp.Or(cmp.Compare(a.table, b.table), cmp.Compare(a.scope, b.scope), cmp.Compare(a.part, b.part))
	})
	files := make([][]weir.DataFile, len(keys))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, k := range keys {
		g.Go(func() (err error) {
			files[i], err = t.tables[k].Close()
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	clear(t.tables)
	for i, k := range keys {
		if len(files[i]) == 0 {
			continue
		}
		t.result.Tables = append(t.result.Tables, weir.TableFiles{Table: k.table, Scope: k.scope, Files: files[i]})
		for _, f := range files[i] {
			t.result.RowsOut += rowsOut(k.table, f.Rows)
		}
	}
	return nil
}

// abort gives up what an unsuccessful execution began to write.
func (t *Task) abort() {
	for _, w := range t.tables {
		w.Abort()
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
