package pipelines

import (
	"context"
	"encoding/json"
	"path"
	"sort"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// Spec is what a stage's plan fixes: everything that a run depends on.
type Spec struct {
	Run        weir.Run                   `json:"run"`
	Stage      weir.Stage                 `json:"stage"`
	Inputs     map[string][]weir.DataFile `json:"inputs"`  // by table, of the pinned snapshots
	Schemas    map[string]schema.Table    `json:"schemas"` // of every table read or written
	Params     json.RawMessage            `json:"params"`  // the stage's own
	Partitions int                        `json:"partitions"`
	Scratch    string                     `json:"scratch"`  // key prefix of this run's scratch files
	Manifest   string                     `json:"manifest"` // key of the manifest to write
}

// Pipeline is a stage's chain of steps.
type Pipeline struct {
	Stage weir.Stage
	// Sources lists the tables whose files feed the first step; an entry may be a
	// pattern of path.Match ("raw.*"). Small files of a table share a task, a big
	// file is cut into several by row groups.
	Sources []string
	Steps   []Step
	// Outputs declares the scopes that the run writes, with Replace and without
	// Files, so that a scope left without rows is emptied. A scope written but
	// not declared is appended to. May be nil.
	Outputs func(*Spec) ([]weir.TableFiles, error)
}

// Step is one transformation. The first step's tasks have source files; a later
// step has one task per partition, holding every reference that earlier steps
// wrote for that partition of it.
type Step struct {
	Name string
	Run  func(ctx context.Context, t *Task) error
}

// Partition sizing: rows that one task of a later step holds in memory.
const (
	partitionRows = 250_000
	maxPartitions = 4096
)

// SlotMemory is the bytes of the process's soft memory limit that one task takes.
const SlotMemory int64 = 384 << 20

// Partitions says into how many partitions rows are best cut.
func Partitions(rows int64) int {
	return int(min(max((rows+partitionRows-1)/partitionRows, 1), maxPartitions))
}

// PartitionOf assigns a key to one of n partitions. It is stable over time and
// machines: files of earlier runs rely on it.
func PartitionOf(key string, n int) int {
	if n <= 1 {
		return 0
	}
	h := uint64(14695981039346656037) // FNV-1a
	for i := 0; i < len(key); i++ {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	// FNV's low bits are weak: mix as murmur3 ends.
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return int((h ^ h>>33) % uint64(n))
}

// WriteSpec stores a spec under key. Writing the same spec again is a no-op;
// another spec under the same key is a Conflict.
func WriteSpec(ctx context.Context, s *object.Store, key string, spec *Spec) error {
	data, err := json.Marshal(spec)
	if err != nil {
		return weir.Errorf(weir.Internal, "encode spec: %w", err)
	}
	created, err := s.PutIfAbsent(ctx, key, data)
	if err != nil || created {
		return err
	}
	held, err := s.ReadFile(ctx, key)
	if err != nil {
		return err
	}
	if string(held) != string(data) {
		return weir.Errorf(weir.Conflict, "another spec is already stored for this run").At(key)
	}
	return nil
}

// ReadSpec loads the spec stored under key.
func ReadSpec(ctx context.Context, s *object.Store, key string) (*Spec, error) {
	data, err := s.ReadFile(ctx, key)
	if err != nil {
		return nil, err
	}
	spec := new(Spec)
	if err := json.Unmarshal(data, spec); err != nil {
		return nil, weir.Errorf(weir.Internal, "the spec cannot be read: %w", err).At(key)
	}
	return spec, nil
}

// sourceTables lists the spec's inputs that feed p's first step, in the order of
// Sources, those of one pattern by name.
func (p Pipeline) sourceTables(spec *Spec) ([]string, error) {
	names := make([]string, 0, len(spec.Inputs))
	for t := range spec.Inputs {
		names = append(names, t)
	}
	sort.Strings(names)
	var tables []string
	taken := map[string]bool{}
	for _, pattern := range p.Sources {
		for _, t := range names {
			ok, err := path.Match(pattern, t)
			if err != nil {
				return nil, weir.Errorf(weir.Internal, "source pattern %q: %w", pattern, err)
			}
			if ok && !taken[t] {
				taken[t] = true
				tables = append(tables, t)
			}
		}
	}
	return tables, nil
}

// step finds a step by name.
func (p Pipeline) step(name string) (int, bool) {
	for i, s := range p.Steps {
		if s.Name == name {
			return i, true
		}
	}
	return 0, false
}

// check finds what makes a pipeline unfit to run.
func (p Pipeline) check() error {
	if len(p.Steps) == 0 {
		return weir.Errorf(weir.Internal, "pipeline %s has no steps", p.Stage)
	}
	seen := map[string]bool{}
	for _, s := range p.Steps {
		if s.Name == "" || strings.ContainsAny(s.Name, ":/") || seen[s.Name] {
			return weir.Errorf(weir.Internal, "pipeline %s: step name %q is empty, repeated or has one of : /", p.Stage, s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}
