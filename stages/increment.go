package stages

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/pipelines"
	resolver "github.com/weir-cdp/weir/pipelines/resolve"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
	"github.com/weir-cdp/weir/project"
)

// This file lets resolve go on from the index that its last run left, where that
// holds, and removes indexes that nobody goes on from any more. See
// docs/adr/20261123-incremental-resolve.md.

const (
	// indexes is where the runs' indexes lie.
	indexes = "index/resolve/"
	// followsIndex names, in ops.runs, the run that left the index of the current
	// tables.
	followsIndex = "index"
)

// The counts that say which way a run of resolve went; a reason is appended to the
// second.
const (
	countIncrement = "increment"
	countFull      = "full_because_"
)

// keep says where a run leaves its index, and from which one it may go on.
func (in *inputs) keep(ctx context.Context, p *project.Project, params resolver.Params) (*resolver.Keep, error) {
	if in.files != nil {
		return nil, nil // a rehearsal
	}
	basis, err := digest([]any{index.Version, build(), p.Identity, bare(params.Decisions), in.run.Workspace})
	if err != nil {
		return nil, err
	}
	k := &resolver.Keep{Prefix: index.Prefix(indexes, in.run.ID), Basis: basis}
	from, err := in.lastIndex(ctx, weir.Resolve, func(table string) bool { return strings.HasPrefix(table, "identity.") })
	if from != "" {
		k.From = index.ManifestKey(index.Prefix(indexes, from))
	}
	return k, err
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

// increase runs the increment of a spec, where one is possible. It returns the key of
// its manifest, or why all has to be computed.
func (s *resolving) increase(ctx context.Context, sp *spec, progress func(weir.Progress)) (manifest, why string, err error) {
	var params resolver.IncrementParams
	if err := json.Unmarshal(sp.Params, &params); err != nil {
		return "", "", weir.Errorf(weir.Internal, "params of resolve: %w", err)
	}
	k := params.Keep
	if k == nil {
		return "", "", nil
	}
	if k.From == "" {
		return "", "no_index", nil
	}
	data, err := s.store().ReadFile(ctx, resolver.RefusedKey(k.Prefix))
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
		if why, err = s.planIncrement(ctx, sp, params, prefix); err != nil || why != "" {
			return "", why, err
		}
	}
	if err := s.Pipeline(ctx, prefix+"spec.json", progress); err != nil {
		refused, missing := s.store().ReadFile(ctx, resolver.RefusedKey(k.Prefix))
		if missing != nil {
			return "", "", err
		}
		slog.InfoContext(ctx, "resolve computes from all records", "why", string(refused), "run_id", sp.Run.ID)
		return "", string(refused), nil
	}
	return prefix + "manifest.json", "", nil
}

// planIncrement writes the increment's spec, or says why there can be none.
func (s *resolving) planIncrement(ctx context.Context, sp *spec, params resolver.IncrementParams, prefix string) (why string, err error) {
	data, err := s.store().ReadFile(ctx, params.Keep.From)
	if weir.CodeOf(err) == weir.NotFound {
		return "no_index", nil
	}
	if err != nil {
		return "", err
	}
	m, err := index.Parse(data)
	if err != nil {
		return "other_format", nil //nolint:nilerr // the reason to compute from all records
	}
	p, err := s.project(ctx, sp.Run.Project)
	if err != nil {
		return "", err
	}
	switch {
	case m.Basis != params.Keep.Basis:
		return "other_rules", nil
	case sp.Run.Now.Sub(m.Began) > max(p.Retention.Snapshots, lakehouse.MinAge):
		return "index_old", nil // it holds what was deleted: not for longer than old snapshots do
	}
	const records, links, owners = "core.records", "identity.links", "identity.identifiers"
	is := sp.Spec
	is.Stage, is.Scratch, is.Manifest = weir.Increment, prefix+"scratch/", prefix+"manifest.json"
	is.Inputs = maps.Clone(sp.Inputs)
	delete(is.Inputs, links) // the index knows
	if !m.Seen && len(sp.Inputs["core.events"])+len(sp.Inputs["core.consents"]) == 0 {
		params.Owners = sp.Inputs[owners] // no value was, or will be, of an anonymous profile
		delete(is.Inputs, owners)
	}
	is.Inputs[records], params.Lost = m.Changes(sp.Inputs[records])
	if len(is.Inputs[records]) == 0 && !slices.ContainsFunc(resolver.Increment.Sources, func(t string) bool { return len(is.Inputs[t]) > 0 }) {
		return "nothing_to_read", nil // a pipeline begins with a file
	}
	if is.Params, err = json.Marshal(params); err != nil {
		return "", weir.Errorf(weir.Internal, "params of an increment: %w", err)
	}
	return "", pipelines.WriteSpec(ctx, s.store(), prefix+"spec.json", &is)
}

// tellWay notes in a result which way the run went, and which index it left.
func (s *resolving) tellWay(ctx context.Context, r *result, increment bool, why string) error {
	if r.Counts["index_entries"] > 0 {
		r.followIndex()
	}
	if why != "" {
		r.Counts[countFull+why] = 1
		return nil
	}
	if !increment {
		return nil
	}
	if r.Counts[countIncrement] == 0 {
		return weir.Errorf(weir.Internal, "an increment of resolve ended without its partition").At(string(r.Run.ID))
	}
	// What is counted of all blocks is as the last full run found it.
	last, _, err := s.last(ctx, weir.Resolve, "")
	for name, n := range last.Counts {
		if _, counted := r.Counts[name]; !counted && (strings.HasPrefix(name, resolver.PairsBy) || strings.HasPrefix(name, resolver.PairsLostBy)) {
			r.Counts[name] = n
		}
	}
	return err
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
func (s *resolving) Commit(ctx context.Context, manifest string) (weir.StageRun, error) {
	return s.commitIncrement(ctx, manifest, indexing{all: indexes, manifest: index.ManifestKey, parse: func(data []byte) ([]string, weir.RunID, error) {
		m, err := index.Parse(data)
		if err != nil {
			return nil, "", err
		}
		return m.Objects(), m.Parent, nil
	}})
}

// indexing is how the indexes of a stage are told apart and read.
type indexing struct {
	all      string // where they lie
	manifest func(prefix string) string
	// parse gives of a manifest the objects that it needs, and the run whose index it
	// goes on from.
	parse func(data []byte) (objects []string, parent weir.RunID, err error)
}

// commitIncrement is Commit of a stage that leaves indexes.
func (s *pipeline) commitIncrement(ctx context.Context, manifest string, x indexing) (weir.StageRun, error) {
	row, err := s.Commit(ctx, manifest)
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
	return row, s.sweepIndexes(ctx, row, x)
}

// sweepIndexes deletes the parts of indexes that neither the one just committed nor
// the one that it went on from needs. A run that has not ended keeps its own for as
// long as its other files stay; so does one that ops.runs does not list any more.
func (s *pipeline) sweepIndexes(ctx context.Context, row weir.StageRun, x indexing) error {
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
		key := x.manifest(index.Prefix(x.all, id))
		data, err := s.store().ReadFile(ctx, key)
		if weir.CodeOf(err) == weir.NotFound {
			break
		}
		if err != nil {
			return err
		}
		objects, parent, err := x.parse(data)
		if err != nil {
			break // of another program: its owner may keep it, nobody goes on from it
		}
		needed[key] = true
		for _, k := range objects {
			needed[k] = true
		}
		id = parent
	}
	old := s.Clock().Add(-runAge)
	var gone []string
	for o, err := range s.store().List(ctx, x.all) {
		if err != nil {
			return err
		}
		run, _, _ := strings.Cut(strings.TrimPrefix(o.Key, x.all), "/")
		if (ended[run] || o.ModTime.Before(old)) && !needed[o.Key] {
			gone = append(gone, o.Key)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return s.store().Delete(ctx, gone...)
}
