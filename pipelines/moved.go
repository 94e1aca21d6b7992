package pipelines

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// Moved is how many bytes a run sent through Beam's shuffle and through scratch
// objects. It lies beside the manifest and not in it: sizes depend on how long the
// scratch prefix is and on whether scratch lies on this machine, which a manifest
// must not.
type Moved struct {
	RowsIn      int64       `json:"rows_in"` // of the manifest
	InputBytes  int64       `json:"input_bytes"`
	OutputBytes int64       `json:"output_bytes"` // of the manifest's table files, those of earlier runs that were kept too
	Steps       []StepMoved `json:"steps"`        // in order; the last is "manifest", which has no tasks
}

// StepMoved is what one step received through the shuffle, and what its tasks read
// from and wrote to scratch objects. Each task counts once, however often Beam ran it.
type StepMoved struct {
	Step     string `json:"step"`
	Tasks    int64  `json:"tasks"`
	Elements int64  `json:"elements"` // through the GroupByKey before it, those for later steps too
	Shuffle  int64  `json:"shuffle"`  // bytes of their texts; Beam adds a key and a length, some 10 bytes each
	Read     int64  `json:"read"`     // bytes of scratch blocks
	Written  int64  `json:"written"`
}

// Shuffle is what all steps received through Beam's shuffle, in bytes.
func (m Moved) Shuffle() (bytes int64) {
	for _, s := range m.Steps {
		bytes += s.Shuffle
	}
	return bytes
}

// Scratch is what all steps read from and wrote to scratch objects, in bytes.
func (m Moved) Scratch() (read, written int64) {
	for _, s := range m.Steps {
		read, written = read+s.Read, written+s.Written
	}
	return read, written
}

// MovedKey is where the account of a run lies whose manifest has this key.
func MovedKey(manifest string) string { return strings.TrimSuffix(manifest, ".json") + ".moved.json" }

// ReadMoved reads the account of a run that is complete.
func ReadMoved(ctx context.Context, s *object.Store, manifest string) (Moved, error) {
	var m Moved
	data, err := s.ReadFile(ctx, MovedKey(manifest))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, weir.Errorf(weir.Internal, "the account of what a run moved: %w", err).At(MovedKey(manifest))
	}
	return m, nil
}

// sent is what a task adds to the account. The elements that it emits cross every
// GroupByKey between it and the step that they are for, where they pass through.
type sent struct {
	Sources int64         `json:"s,omitempty"` // bytes of what a first step's task was told to read
	Refs    map[int]count `json:"r,omitempty"` // by the step that they are for
	Read    int64         `json:"i,omitempty"`
	Written int64         `json:"o,omitempty"`
}

// count is some elements and the bytes of their texts.
type count struct {
	N int64 `json:"n"`
	B int64 `json:"b"`
}

func (c *count) add(n, bytes int64) { c.N, c.B = c.N+n, c.B+bytes }

// account counts what a task emits; its own result is counted when it has arrived.
func (t *Task) account() error {
	for _, e := range t.out {
		text, err := e.encode()
		if err != nil {
			return err
		}
		if t.result.Sent.Refs == nil {
			t.result.Sent.Refs = map[int]count{}
		}
		c := t.result.Sent.Refs[e.To]
		c.add(1, int64(len(text)))
		t.result.Sent.Refs[e.To] = c
	}
	if t.source == nil || t.index > 0 {
		return nil
	}
	text, err := element{To: 0, At: t.partition, Source: t.source}.encode()
	t.result.Sent.Sources = int64(len(text))
	return err
}

// moved makes the account from the results of all tasks, as assemble has them:
// sorted, those of a task that was executed again among them.
func moved(p Pipeline, spec *Spec, m weir.Manifest, results []result) (Moved, error) {
	a := Moved{RowsIn: m.Counts["rows_in"], Steps: make([]StepMoved, len(p.Steps)+1)}
	for i, s := range p.Steps {
		a.Steps[i].Step = s.Name
	}
	a.Steps[len(p.Steps)].Step = "manifest"
	for _, files := range spec.Inputs {
		for _, f := range files {
			a.InputBytes += f.Bytes
		}
	}
	for _, t := range m.Tables {
		for _, f := range t.Files {
			a.OutputBytes += f.Bytes
		}
	}
	for i, r := range results {
		if i > 0 && r.Task == results[i-1].Task {
			continue
		}
		text, err := element{To: toManifest, Result: &r}.encode()
		if err != nil {
			return a, err
		}
		a.cross(r.Step, len(p.Steps), count{1, int64(len(text))})
		if r.Step < 0 {
			continue
		}
		own := &a.Steps[r.Step]
		own.Tasks, own.Read, own.Written = own.Tasks+1, own.Read+r.Sent.Read, own.Written+r.Sent.Written
		if r.Sent.Sources > 0 {
			a.cross(-1, 0, count{1, r.Sent.Sources})
		}
		for to, c := range r.Sent.Refs {
			a.cross(r.Step, to, c)
		}
	}
	return a, nil
}

// cross counts elements that a step sent to another.
func (m *Moved) cross(from, to int, c count) {
	for i := from + 1; i <= to; i++ {
		m.Steps[i].Elements += c.N
		m.Steps[i].Shuffle += c.B
	}
}

// leaveMoved writes the account, before the manifest: where that is, this is.
func leaveMoved(ctx context.Context, s *object.Store, spec *Spec, m Moved) error {
	data, err := json.Marshal(m)
	if err != nil {
		return weir.Errorf(weir.Internal, "encode the account of what a run moved: %w", err)
	}
	_, err = s.PutIfAbsent(ctx, MovedKey(spec.Manifest), data)
	return err
}
