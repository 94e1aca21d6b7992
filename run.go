package weir

import (
	"slices"
	"time"
)

// Stage is one of the seven verbs. It names the workflow, the activities, the
// pipeline folder, the metric prefix and the log field.
type Stage string

// The stages in the order in which data flows through them.
const (
	Collect  Stage = "collect"
	Conform  Stage = "conform"
	Resolve  Stage = "resolve"
	Unify    Stage = "unify"
	Segment  Stage = "segment"
	Decide   Stage = "decide"
	Activate Stage = "activate"
)

// Train is the part of resolve that makes a probabilistic model: a pipeline of
// its own, no stage.
const Train Stage = "train"

// Increment is resolve where it goes on from what its last run found out: a pipeline
// of its own.
const Increment Stage = "increment"

// SegmentIncrement is segment where it computes only the profiles that something
// happened to since its last run: a pipeline of its own.
const SegmentIncrement Stage = "segment_increment"

// Ledger is who appends to the ledger of consents and records statements by hand: no
// stage, but rows of ops.runs that pin what it wrote.
const Ledger Stage = "ledger"

// Stages lists all stages in order.
func Stages() []Stage {
	return []Stage{Collect, Conform, Resolve, Unify, Segment, Decide, Activate}
}

// RunID names one refresh of one workspace. It is part of every commit and of
// every row that a run appends.
type RunID string

// NewRunID makes the id of the run with this logical time. The suffix tells
// apart runs with one `now`; it has no meaning.
func NewRunID(now time.Time, suffix string) RunID {
	return RunID(now.UTC().Format("20060102T150405Z") + "-" + suffix)
}

// Run is what every stage is told: whose data, which run, and its one `now`.
// Nothing else reads a clock (design, section 2).
type Run struct {
	Workspace string    `json:"workspace"`
	ID        RunID     `json:"id"`
	Now       time.Time `json:"now"`
	// Logical says that a person chose Now (--now): then time goes on from there,
	// else deliveries are judged by the clock when they are sent.
	Logical bool `json:"logical,omitempty"`
	// Attended says that a person waits for the run: a system that is away, be it a
	// source, the store or a destination, is told within a minute or so, and served by
	// the next run. Else it is tried longer.
	Attended bool   `json:"attended,omitempty"`
	Project  string `json:"project"` // object key of the applied project that the run follows
}

// CommitID names one commit of one run; committing an id twice is a no-op.
// Part is the stream, activation or table where a stage commits several.
func (r Run) CommitID(stage Stage, part string) string {
	id := string(r.ID) + "/" + string(stage)
	if part != "" {
		id += "/" + part
	}
	return id
}

// StagePlan is the result of a stage's plan step.
type StagePlan struct {
	Spec      string `json:"spec"`      // object key of the written spec
	Unchanged bool   `json:"unchanged"` // nothing to run: inputs and definitions are those of the last run
}

// Progress is what a stage's run step reports while it works.
type Progress struct {
	Done  int64  `json:"done"`  // in Unit
	Total int64  `json:"total"` // 0: unknown
	Unit  string `json:"unit"`  // rows, bytes, tasks
	Note  string `json:"note"`  // a split, a step; never a value
}

// DataFile is one immutable Parquet file in the object store.
type DataFile struct {
	Path  string `json:"path"` // object key below the lake's prefix
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
}

// FilesWithout gives the files that are not among others.
func FilesWithout(files, others []DataFile) []DataFile {
	seen := make(map[string]bool, len(others))
	for _, f := range others {
		seen[f.Path] = true
	}
	return slices.DeleteFunc(slices.Clone(files), func(f DataFile) bool { return seen[f.Path] })
}

// TableFiles is what a stage has written for one table.
//
// A table's files are grouped in scopes (a stream, an activation; "" is the
// whole table): Replace makes Files the scope's whole content, otherwise they
// are appended. Files are named by their content, so replacing a scope by the
// same rows changes nothing (invariant 2).
type TableFiles struct {
	Table   string     `json:"table"` // "core.records"
	Scope   string     `json:"scope,omitempty"`
	Replace bool       `json:"replace,omitempty"`
	Files   []DataFile `json:"files"`
}

// Manifest is the result of a stage's run step, written last: a run without a
// complete manifest did not happen.
type Manifest struct {
	Run    Run              `json:"run"`
	Stage  Stage            `json:"stage"`
	Tables []TableFiles     `json:"tables"`
	Counts map[string]int64 `json:"counts"` // rows_in, rows_out, and the stage's own, committed values only
}

// StageRun is a row of ops.runs. With status done or unchanged it pins the
// snapshots that later stages and queries read.
type StageRun struct {
	RunID      RunID            `parquet:"run_id" json:"run_id"`
	Stage      Stage            `parquet:"stage" json:"stage"`
	Part       string           `parquet:"part" json:"part"` // stream or destination; "" for a whole stage
	StartedAt  time.Time        `parquet:"started_at,timestamp(microsecond)" json:"started_at"`
	EndedAt    time.Time        `parquet:"ended_at,timestamp(microsecond)" json:"ended_at"`
	Now        time.Time        `parquet:"now,timestamp(microsecond)" json:"now"`
	Status     string           `parquet:"status" json:"status"` // done, unchanged, partial, failed
	RowsIn     int64            `parquet:"rows_in" json:"rows_in"`
	RowsOut    int64            `parquet:"rows_out" json:"rows_out"`
	Counts     map[string]int64 `parquet:"counts" json:"counts"`
	Snapshots  map[string]int64 `parquet:"snapshots" json:"snapshots"` // table to snapshot id
	SpecDigest string           `parquet:"spec_digest" json:"spec_digest"`
	Error      string           `parquet:"error" json:"error,omitempty"`
	// Project is the object key of the project that the run followed. Follows is
	// what else its tables follow, by name, pinned with their snapshots: of segment
	// the object key of the definitions' digests, of resolve the moment of the last
	// decision, of decide the policy's revision.
	Project string            `parquet:"project" json:"project,omitempty"`
	Follows map[string]string `parquet:"follows" json:"follows,omitempty"`
}

// Quarantined is a row of ops.quarantine: one bad value, or one row that could
// not be used at all (invariant 8).
type Quarantined struct {
	RunID    RunID     `parquet:"run_id" json:"run_id"`
	Stage    Stage     `parquet:"stage" json:"stage"`
	Source   string    `parquet:"source" json:"source"`
	Stream   string    `parquet:"stream" json:"stream"`
	Origin   string    `parquet:"origin" json:"origin"` // file:line, or table and range
	Field    string    `parquet:"field" json:"field"`   // "" for the whole row
	Reason   string    `parquet:"reason" json:"reason"`
	Excerpt  string    `parquet:"value_excerpt" json:"value_excerpt"`
	Withheld bool      `parquet:"withheld" json:"withheld"` // the row did not go on
	At       time.Time `parquet:"at,timestamp(microsecond)" json:"at"`
}
