package stages

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"runtime/debug"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/pipelines"
)

// This file lets a stage go on from the index that its last run left, where that holds,
// and removes indexes that nobody goes on from any more. See
// docs/adr/20261123-incremental-resolve.md and 20261123-incremental-segments.md.

// followsIndex names, in ops.runs, the run that left the index of the current tables.
const followsIndex = "index"

// The counts that say which way a run went; a reason is appended to the second.
const (
	countIncrement = "increment"
	countFull      = "full_because_"
)

// indexed is the manifest of an index.
type indexed interface {
	Objects() []string // that it needs, but itself
	GoesOnFrom() weir.RunID
}

// increments is a pipeline that leaves indexes, and goes on from them.
type increments[M indexed] struct {
	*pipeline
	indexes string // where they lie
	whole   string // what a run does that can't go on, for the log
	parse   func(data []byte) (M, error)
	// keep gives of a spec's parameters where the run leaves its index, and from which
	// it may go on. Nil: nowhere; why, which may be "", says the reason.
	keep func(params json.RawMessage) (k *pipelines.Keep, why string, err error)
	// next makes of a spec that of the increment, or says why there can be none.
	next func(ctx context.Context, m M, sp *spec, oldest time.Duration) (is pipelines.Spec, why string, err error)
	// left says whether a run has left an index, by its counts.
	left func(counts map[string]int64) bool
	// tell completes what an increment has counted.
	tell func(ctx context.Context, r *result) error
}

// build names the program: another one may find other evidence in the same record.
func build() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	out := []string{info.Main.Version}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.modified" {
			out = append(out, s.Value)
		}
	}
	return out
}

// lastIndex is the run whose index tells of the tables of a stage that are pinned now,
// "" where none does: somebody else may have written since.
func (in *inputs) lastIndex(ctx context.Context, stage weir.Stage, tells func(table string) bool) (weir.RunID, error) {
	last, ok, err := in.house.last(ctx, stage, "")
	id := weir.RunID(last.Follows[followsIndex])
	if err != nil || !ok || id == "" {
		return "", err
	}
	for table, snapshot := range last.Snapshots {
		if tells(table) && in.pins[table] != snapshot {
			return "", nil
		}
	}
	return id, nil
}

// keepIndex says where a run of a stage leaves its index below indexes, and from which
// one it may go on. Depends is what decides beside the tables that are read; tells says
// which tables an index tells of.
func (in *inputs) keepIndex(ctx context.Context, stage weir.Stage, indexes string, tells func(table string) bool, depends ...any) (pipelines.Keep, error) {
	k := pipelines.Keep{Prefix: pipelines.IndexPrefix(indexes, in.run.ID)}
	var err error
	if k.Basis, err = digest(append(depends, build(), in.run.Workspace)); err != nil {
		return k, err
	}
	from, err := in.lastIndex(ctx, stage, tells)
	if from != "" {
		k.From = pipelines.IndexManifest(pipelines.IndexPrefix(indexes, from))
	}
	return k, err
}

// Run implements Stage.
func (s *increments[M]) Run(ctx context.Context, key string, progress func(weir.Progress)) (string, error) {
	started := s.Clock()
	var sp spec
	if err := s.readJSON(ctx, key, &sp); err != nil {
		return "", err
	}
	manifest, why, err := s.increase(ctx, &sp, progress)
	if err != nil {
		return "", err
	}
	increment := manifest != ""
	if !increment {
		if err := s.Pipeline(ctx, key, progress); err != nil {
			return "", err
		}
		manifest = sp.Manifest
	}
	return s.finish(ctx, &sp, manifest, started, func(r *result) error {
		if s.left(r.Counts) {
			r.followIndex()
		}
		if increment {
			return s.tell(ctx, r)
		}
		if why != "" {
			r.Counts[countFull+why] = 1
		}
		return nil
	})
}

// increase runs the increment of a spec, where one is possible. It returns the key of
// its manifest, or why all has to be computed.
func (s *increments[M]) increase(ctx context.Context, sp *spec, progress func(weir.Progress)) (manifest, why string, err error) {
	k, why, err := s.keep(sp.Params)
	if k == nil || err != nil {
		return "", why, err
	}
	if k.From == "" {
		return "", "no_index", nil
	}
	refused := pipelines.RefusedKey(k.Prefix)
	data, err := s.store().ReadFile(ctx, refused)
	if err == nil {
		return "", string(data), nil
	} else if weir.CodeOf(err) != weir.NotFound {
		return "", "", err
	}
	prefix := runPrefix(sp.Run, s.stage, "increment")
	begun, err := s.planned(ctx, prefix+"spec.json")
	if err != nil {
		return "", "", err
	}
	if !begun {
		if why, err = s.planIncrement(ctx, sp, k.From, prefix); err != nil || why != "" {
			return "", why, err
		}
	}
	if err := s.Pipeline(ctx, prefix+"spec.json", progress); err != nil {
		data, missing := s.store().ReadFile(ctx, refused)
		if missing != nil {
			return "", "", err
		}
		slog.InfoContext(ctx, "an increment was refused", "so", s.whole, "why", string(data), "run_id", sp.Run.ID)
		return "", string(data), nil
	}
	return prefix + "manifest.json", "", nil
}

// planIncrement writes the increment's spec, or says why there can be none.
func (s *increments[M]) planIncrement(ctx context.Context, sp *spec, from, prefix string) (why string, err error) {
	data, err := s.store().ReadFile(ctx, from)
	if weir.CodeOf(err) == weir.NotFound {
		return "no_index", nil
	}
	if err != nil {
		return "", err
	}
	m, err := s.parse(data)
	if err != nil {
		return "other_format", nil //nolint:nilerr // the reason to compute all
	}
	p, err := s.project(ctx, sp.Run.Project)
	if err != nil {
		return "", err
	}
	// An index holds what was deleted: not for longer than old snapshots do.
	is, why, err := s.next(ctx, m, sp, max(p.Retention.Snapshots, lakehouse.MinAge))
	if err != nil || why != "" {
		return why, err
	}
	is.Scratch, is.Manifest = prefix+"scratch/", prefix+"manifest.json"
	return "", pipelines.WriteSpec(ctx, s.store(), prefix+"spec.json", &is)
}

// followIndex says that the run has left the index of its tables.
func (r *result) followIndex() {
	r.Follows = maps.Clone(r.Follows)
	if r.Follows == nil {
		r.Follows = map[string]string{}
	}
	r.Follows[followsIndex] = string(r.Run.ID)
}

// Commit implements Stage.
func (s *increments[M]) Commit(ctx context.Context, manifest string) (weir.StageRun, error) {
	row, err := s.pipeline.Commit(ctx, manifest)
	if err != nil {
		return row, err
	}
	if sp, err := pipelines.ReadSpec(ctx, s.store(), runPrefix(weir.Run{ID: row.RunID}, s.stage, "increment")+"spec.json"); err == nil {
		if err := pipelines.Sweep(ctx, s.store(), sp); err != nil {
			return row, err
		}
	} else if weir.CodeOf(err) != weir.NotFound {
		return row, err
	}
	return row, s.sweep(ctx, row)
}

// sweep deletes the parts of indexes that neither the one just committed nor
// the one that it went on from needs. A run that has not ended keeps its own for as
// long as its other files stay; so does one that ops.runs does not list any more.
func (s *increments[M]) sweep(ctx context.Context, row weir.StageRun) error {
	runs, err := s.Lake.Runs(ctx)
	if err != nil {
		return err
	}
	ended := map[string]bool{}
	for _, r := range runs {
		if r.Stage == s.stage {
			ended[string(r.RunID)] = true
		}
	}
	needed := map[string]bool{}
	id := weir.RunID(row.Follows[followsIndex])
	for range 2 {
		if id == "" {
			break
		}
		key := pipelines.IndexManifest(pipelines.IndexPrefix(s.indexes, id))
		data, err := s.store().ReadFile(ctx, key)
		if weir.CodeOf(err) == weir.NotFound {
			break
		}
		if err != nil {
			return err
		}
		m, err := s.parse(data)
		if err != nil {
			break // of another program: its owner may keep it, nobody goes on from it
		}
		needed[key] = true
		for _, k := range m.Objects() {
			needed[k] = true
		}
		id = m.GoesOnFrom()
	}
	old := s.Clock().Add(-runAge)
	var gone []string
	for o, err := range s.store().List(ctx, s.indexes) {
		if err != nil {
			return err
		}
		run, _, _ := strings.Cut(strings.TrimPrefix(o.Key, s.indexes), "/")
		if (ended[run] || o.ModTime.Before(old)) && !needed[o.Key] {
			gone = append(gone, o.Key)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return s.store().Delete(ctx, gone...)
}
