package stages

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/pipelines"
	resolved "github.com/weir-cdp/weir/pipelines/resolve/index"
	segments "github.com/weir-cdp/weir/pipelines/segment"
	"github.com/weir-cdp/weir/pipelines/segment/index"
)

// This file lets segment compute only the profiles that something happened to, from
// the index that its last run left, where that holds. See
// docs/adr/20261123-incremental-segments.md.

// segmentIndexes is where the indexes of runs of segment lie.
const segmentIndexes = "index/segment/"

// segmenting is the pipeline of segment, or its increment.
type segmenting struct{ *pipeline }

// keepSegments says where a run leaves its index, and from which one it may go on.
// Definitions is a digest of what the run computes.
func (in *inputs) keepSegments(ctx context.Context, params *segments.Params, definitions string) error {
	if in.files != nil || params.Whole() != "" {
		return nil // a rehearsal, or of definitions that look at everybody
	}
	digests, err := params.Digests()
	if err != nil {
		return err
	}
	basis, err := digest([]any{index.Version, build(), definitions, digests, in.run.Workspace})
	if err != nil {
		return err
	}
	k := &segments.Keep{Prefix: resolved.Prefix(segmentIndexes, in.run.ID), Basis: basis}
	from, err := in.lastIndex(ctx, weir.Segment, func(table string) bool { return table == traitsTable || table == "segment.memberships" })
	if err != nil {
		return err
	}
	if from != "" {
		k.From = index.ManifestKey(resolved.Prefix(segmentIndexes, from))
		if id := in.pins[traitsTable]; id != 0 {
			if k.Traits, err = in.house.Lake.Files(ctx, traitsTable, id); err != nil {
				return err
			}
		}
	}
	params.Keep = k
	return nil
}

// Run implements Stage.
func (s *segmenting) Run(ctx context.Context, key string, progress func(weir.Progress)) (string, error) {
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
		if _, left := r.Counts[segments.CountIndexed]; left {
			r.followIndex()
		}
		if increment {
			r.Counts[countIncrement] = 1
		} else if why != "" {
			r.Counts[countFull+why] = 1
		}
		return nil
	})
}

// increase runs the increment of a spec, where one is possible. It returns the key of
// its manifest, or why all has to be computed.
func (s *segmenting) increase(ctx context.Context, sp *spec, progress func(weir.Progress)) (manifest, why string, err error) {
	var params segments.Params
	if err := json.Unmarshal(sp.Params, &params); err != nil {
		return "", "", weir.Errorf(weir.Internal, "params of segment: %w", err)
	}
	k := params.Keep
	if k == nil {
		return "", params.Whole(), nil
	}
	if k.From == "" {
		return "", "no_index", nil
	}
	refused := segments.RefusedKey(k.Prefix)
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
		slog.InfoContext(ctx, "segment computes all profiles", "why", string(data), "run_id", sp.Run.ID)
		return "", string(data), nil
	}
	return prefix + "manifest.json", "", nil
}

// planIncrement writes the increment's spec, or says why there can be none.
func (s *segmenting) planIncrement(ctx context.Context, sp *spec, from, prefix string) (why string, err error) {
	data, err := s.store().ReadFile(ctx, from)
	if weir.CodeOf(err) == weir.NotFound {
		return "no_index", nil
	}
	if err != nil {
		return "", err
	}
	m, err := index.Parse(data)
	if err != nil {
		return "other_format", nil //nolint:nilerr // the reason to compute all profiles
	}
	p, err := s.project(ctx, sp.Run.Project)
	if err != nil {
		return "", err
	}
	is, why, err := segments.GoOn(m, &sp.Spec, max(p.Retention.Snapshots, lakehouse.MinAge))
	if err != nil || why != "" {
		return why, err
	}
	var params segments.IncrementParams
	if err := json.Unmarshal(is.Params, &params); err != nil {
		return "", weir.Errorf(weir.Internal, "params of an increment: %w", err)
	}
	for _, f := range params.OwnersGone { // a snapshot that is not kept any more
		if _, err := s.store().Stat(ctx, f.Path); weir.CodeOf(err) == weir.NotFound {
			return "files_gone", nil
		} else if err != nil {
			return "", err
		}
	}
	is.Scratch, is.Manifest = prefix+"scratch/", prefix+"manifest.json"
	return "", pipelines.WriteSpec(ctx, s.store(), prefix+"spec.json", &is)
}

// Commit implements Stage.
func (s *segmenting) Commit(ctx context.Context, manifest string) (weir.StageRun, error) {
	return s.commitIncrement(ctx, manifest, indexing{all: segmentIndexes, manifest: index.ManifestKey, parse: func(data []byte) ([]string, weir.RunID, error) {
		m, err := index.Parse(data)
		if err != nil {
			return nil, "", err
		}
		return m.Objects(), m.Parent, nil
	}})
}
