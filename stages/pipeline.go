package stages

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/project"
)

// pipeline is a stage that one Beam pipeline computes from tables to tables.
type pipeline struct {
	*House
	stage weir.Stage
	// plan says what the stage reads and writes, given the project and what is
	// pinned now.
	plan func(ctx context.Context, p *project.Project, in *inputs) (outline, error)
	// after, which may be nil, does what follows from the tables that are current now,
	// and may add to the row that is told. It is done again after a crash.
	after func(ctx context.Context, run weir.Run, row *weir.StageRun) error
}

// inputs gives a stage's plan the tables that ops.runs pins.
type inputs struct {
	house *House
	pins  map[string]int64
	run   weir.Run
	// Of a rehearsal only: the files of tables that it has written, and decisions
	// that are not made yet.
	files map[string][]weir.DataFile
	extra []weir.IdentityDecision
}

// outline is what a plan decides.
type outline struct {
	Reads []string // tables whose snapshots the result depends on
	Prior []string // tables that the stage itself wrote before: read, but not a reason to run
	// Given are rows made for this run alone, by the table whose columns they have.
	Given map[string][]weir.DataFile
	// Writes are the tables, as they have to be.
	Writes []schema.Table
	Params any
	// Depends is hashed into the spec's digest beside the inputs' snapshots: what
	// of the definitions, and where windows depend on it the run's now.
	Depends any
	// Follows is pinned with the tables: see weir.StageRun.
	Follows map[string]string
	// Refused are parts that can't be used; the others go on and the run is partial.
	Refused []string
}

// spec is what is stored between plan, run and commit.
type spec struct {
	pipelines.Spec
	Digest  string            `json:"digest"`
	Follows map[string]string `json:"follows,omitempty"`
	Refused []string          `json:"refused,omitempty"`
}

func (s *pipeline) Plan(ctx context.Context, run weir.Run, part string) (weir.StagePlan, error) {
	plan := weir.StagePlan{Spec: runPrefix(run, s.stage, part) + "spec.json"}
	if done, err := s.planned(ctx, plan.Spec); done || err != nil {
		return plan, err
	}
	p, err := s.project(ctx, run.Project)
	if err != nil {
		return plan, err
	}
	pins, err := s.Lake.Pins(ctx)
	if err != nil {
		return plan, err
	}
	in := &inputs{house: s.House, pins: pins, run: run}
	o, err := s.plan(ctx, p, in)
	if err != nil {
		return plan, err
	}
	sp, err := s.spec(ctx, o, in)
	if err != nil {
		return plan, err
	}
	if prior, ok, err := s.last(ctx, s.stage, part); err != nil {
		return plan, err
	} else if ok && prior.SpecDigest == sp.Digest {
		return weir.StagePlan{Unchanged: true}, nil
	}
	return plan, s.writeOnce(ctx, plan.Spec, sp)
}

// spec fixes the inputs' files and the outputs' schemas.
func (s *pipeline) spec(ctx context.Context, o outline, in *inputs) (spec, error) {
	run := in.run
	prefix := runPrefix(run, s.stage, "")
	sp := spec{Follows: o.Follows, Refused: o.Refused, Spec: pipelines.Spec{Run: run, Stage: s.stage, Inputs: map[string][]weir.DataFile{},
		Schemas: map[string]schema.Table{}, Scratch: prefix + "scratch/", Manifest: prefix + "manifest.json"}}
	var err error
	if sp.Params, err = json.Marshal(o.Params); err != nil {
		return sp, weir.Errorf(weir.Internal, "params of %s: %w", s.stage, err)
	}
	snapshots := map[string]int64{}
	for _, table := range slices.Concat(o.Reads, o.Prior) {
		files, rehearsed := in.files[table]
		if in.pins[table] == 0 && !rehearsed {
			continue // not written yet: no rows
		}
		if !rehearsed {
			if files, err = s.Lake.Files(ctx, table, in.pins[table]); err != nil {
				return sp, err
			}
		}
		sp.Inputs[table] = files
		if sp.Schemas[table], err = s.Lake.Describe(ctx, table); err != nil {
			return sp, err
		}
		if slices.Contains(o.Reads, table) {
			snapshots[table] = in.pins[table]
		}
	}
	for table, files := range o.Given {
		if len(files) > 0 {
			sp.Inputs[table] = files
		}
	}
	var columns [][]schema.Column
	for _, want := range o.Writes {
		have, err := s.Lake.Ensure(ctx, want)
		if err != nil {
			return sp, err
		}
		sp.Schemas[want.Name] = have
		columns = append(columns, have.Columns)
	}
	sp.Partitions = partitions(sp.Inputs)
	sp.Digest, err = digest([]any{s.stage, snapshots, o.Depends, columns})
	return sp, err
}

func (s *pipeline) Run(ctx context.Context, key string, progress func(weir.Progress)) (string, error) {
	started := s.Clock()
	var sp spec
	if err := s.readJSON(ctx, key, &sp); err != nil {
		return "", err
	}
	if err := s.Pipeline(ctx, key, progress); err != nil {
		return "", err
	}
	return s.finish(ctx, &sp, sp.Manifest, started, nil)
}

// finish turns a pipeline's manifest into the stage's result. Tell, which may be nil,
// adds to it.
func (s *pipeline) finish(ctx context.Context, sp *spec, manifest string, started time.Time, tell func(*result) error) (string, error) {
	r := result{SpecDigest: sp.Digest, StartedAt: started, Follows: sp.Follows}
	if err := s.readJSON(ctx, manifest, &r.Manifest); err != nil {
		return "", err
	}
	r.Stage = s.stage // of the stage's several pipelines one made it
	if tell != nil {
		if err := tell(&r); err != nil {
			return "", err
		}
	}
	if len(sp.Refused) > 0 {
		r.Counts["refused"] = int64(len(sp.Refused))
		r.Problem = strings.Join(sp.Refused, "\n")
	}
	if err := s.tellNews(ctx, &r); err != nil {
		return "", err
	}
	if r.Counts[newRows] > 0 || len(sp.Refused) > 0 {
		r.Status = Partial
	}
	out := runPrefix(sp.Run, s.stage, "") + "result.json"
	return out, s.writeJSON(ctx, out, r)
}

func (s *pipeline) Commit(ctx context.Context, manifest string) (weir.StageRun, error) {
	var r result
	if err := s.readJSON(ctx, manifest, &r); err != nil {
		return weir.StageRun{}, err
	}
	row, err := s.commit(ctx, r)
	if err == nil && s.after != nil {
		err = s.after(ctx, r.Run, &row)
	}
	if err != nil {
		return row, err
	}
	// What crossed between the steps is no longer needed.
	sp, err := pipelines.ReadSpec(ctx, s.store(), runPrefix(r.Run, s.stage, "")+"spec.json")
	if err != nil {
		return row, err
	}
	return row, pipelines.Sweep(ctx, s.store(), sp)
}

func (s *pipeline) Keep(ctx context.Context, run weir.Run, part string) (weir.StageRun, error) {
	row, err := s.keep(ctx, run, s.stage, part)
	if err == nil && s.after != nil {
		err = s.after(ctx, run, &row)
	}
	return row, err
}

func (s *pipeline) Fail(ctx context.Context, run weir.Run, part, cause string) error {
	return s.fail(ctx, run, s.stage, part, cause)
}
