package pipelines

import (
	"context"
	"reflect"
	"sync"
	"testing"
)

// watched counts what really goes to and comes from scratch objects.
type watched struct {
	rowStore
	mu            sync.Mutex
	read, written int64
}

func (w *watched) PutChecked(ctx context.Context, key string, data []byte) error {
	w.mu.Lock()
	w.written += int64(len(data))
	w.mu.Unlock()
	return w.rowStore.PutChecked(ctx, key, data)
}

func (w *watched) ReadRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	data, err := w.rowStore.ReadRange(ctx, key, offset, length)
	w.mu.Lock()
	w.read += int64(len(data))
	w.mu.Unlock()
	return data, err
}

// walk runs the steps as a runner would, counting every text at every GroupByKey;
// each step's tasks run so many times, and all that they send arrives.
func (b *bench) walk(attempt string, times int) (account, found Moved) {
	b.t.Helper()
	ctx := b.t.Context()
	spec, err := ReadSpec(ctx, b.store, b.plan(attempt))
	if err != nil {
		b.t.Fatal(err)
	}
	x, err := newExecution(b.store, spec, wordCount, testSecrets)
	if err != nil {
		b.t.Fatal(err)
	}
	store := &watched{rowStore: x.rows}
	x.rows = store
	elements, err := x.sourceElements(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	crossed := func(step string) StepMoved {
		s := StepMoved{Step: step, Elements: int64(len(elements))}
		for _, e := range elements {
			text, err := e.encode()
			if err != nil {
				b.t.Fatal(err)
			}
			s.Shuffle += int64(len(text))
		}
		return s
	}
	for i := range wordCount.Steps {
		s := crossed(wordCount.Steps[i].Name)
		read, written := store.read, store.written
		in := map[int]bool{}
		for _, e := range elements {
			if e.To == i {
				in[e.At] = true
			}
		}
		s.Tasks = int64(len(in))
		var out []element
		for range times {
			if out, err = x.localStep(ctx, i, elements); err != nil {
				b.t.Fatal(err)
			}
		}
		s.Read, s.Written = (store.read-read)/int64(times), (store.written-written)/int64(times)
		found.Steps = append(found.Steps, s)
		elements = out
	}
	found.Steps = append(found.Steps, crossed("manifest"))
	for range times - 1 {
		elements = append(elements, elements...) // tasks whose results arrive again
	}
	if err := x.finish(ctx, elements); err != nil {
		b.t.Fatal(err)
	}
	if account, err = ReadMoved(ctx, b.store, spec.Manifest); err != nil {
		b.t.Fatal(err)
	}
	return account, found
}

func TestMovedIsWhatWasSent(t *testing.T) {
	old := taskMemory
	taskMemory = 4 << 10 // several objects and blocks a channel
	t.Cleanup(func() { taskMemory = old })
	b := newBench(t, 400)
	account, found := b.walk("aaaa", 1)
	if !reflect.DeepEqual(account.Steps, found.Steps) {
		t.Errorf("the account says\n%+v\nsent was\n%+v", account.Steps, found.Steps)
	}
	for i, s := range account.Steps[:len(wordCount.Steps)] {
		if s.Tasks == 0 || s.Shuffle == 0 || (s.Read == 0) != (i == 0) || (s.Written == 0) != (i == len(wordCount.Steps)-1) {
			t.Errorf("step %s moved nothing: %+v", s.Step, s)
		}
	}
	if in := int64(4 * 400); account.RowsIn != in || account.InputBytes == 0 || account.OutputBytes == 0 {
		t.Errorf("%+v", account)
	}
}

func TestMovedCountsEachTaskOnce(t *testing.T) {
	b := newBench(t, 400)
	once, _ := b.walk("aaaa", 1)
	twice, _ := b.walk("bbbb", 2)
	if !reflect.DeepEqual(once, twice) {
		t.Errorf("tasks that ran twice changed the account:\n%+v\n%+v", once, twice)
	}
}

func TestBeamMovesWhatALocalRunMoves(t *testing.T) {
	b := newBench(t, 400)
	want, _ := b.walk("aaaa", 1)
	if _, err := RunChild(t.Context(), b.child(), b.plan("bbbb"), nil); err != nil {
		t.Fatal(err)
	}
	got, err := ReadMoved(t.Context(), b.store, "manifests/bbbb.json")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
