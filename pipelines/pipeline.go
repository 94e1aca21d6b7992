package pipelines

import (
	"context"
	"encoding/json"

	"github.com/weir-cdp/weir"
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
	// Sources lists the tables whose files feed the first step, one task a file
	// (or a range of its row groups).
	Sources []string
	Steps []Step
}

// Step is one transformation. The first step's tasks have one source file each;
// a later step has one task per partition, holding every reference that the
// step before wrote for that partition.
type Step struct {
	Name string
	Run  func(ctx context.Context, t *Task) error
}
