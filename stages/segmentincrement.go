package stages

import (
	"context"
	"encoding/json"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	segments "github.com/weir-cdp/weir/pipelines/segment"
	"github.com/weir-cdp/weir/pipelines/segment/index"
)

// This file lets segment compute only the profiles that something happened to. See
// docs/adr/20261123-incremental-segments.md.

// segmentIndexes is where the indexes of runs of segment lie.
const segmentIndexes = "index/segment/"

// segmenting is segment with its increments.
type segmenting = increments[*index.Manifest]

func increasingSegments(s *pipeline) *segmenting {
	x := &segmenting{pipeline: s, indexes: segmentIndexes, whole: "segment computes all profiles", parse: index.Parse}
	x.keep = func(params json.RawMessage) (*pipelines.Keep, string, error) {
		var p segments.Params
		if err := json.Unmarshal(params, &p); err != nil {
			return nil, "", weir.Errorf(weir.Internal, "params of segment: %w", err)
		}
		if p.Keep == nil {
			return nil, p.Whole(), nil
		}
		return &p.Keep.Keep, "", nil
	}
	x.next = func(ctx context.Context, m *index.Manifest, sp *spec, oldest time.Duration) (pipelines.Spec, string, error) {
		is, why, err := segments.GoOn(m, &sp.Spec, oldest)
		if err != nil || why != "" {
			return is, why, err
		}
		why, err = s.ownersGone(ctx, is)
		return is, why, err
	}
	x.left = func(counts map[string]int64) bool {
		_, left := counts[segments.CountIndexed]
		return left
	}
	x.tell = func(_ context.Context, r *result) error {
		r.Counts[countIncrement] = 1
		return nil
	}
	return x
}

// ownersGone refuses an increment that reads a file of a snapshot which is not kept any
// more.
func (s *pipeline) ownersGone(ctx context.Context, is pipelines.Spec) (why string, err error) {
	var params segments.IncrementParams
	if err := json.Unmarshal(is.Params, &params); err != nil {
		return "", weir.Errorf(weir.Internal, "params of an increment: %w", err)
	}
	for _, f := range params.OwnersGone {
		if _, err := s.store().Stat(ctx, f.Path); weir.CodeOf(err) == weir.NotFound {
			return "files_gone", nil
		} else if err != nil {
			return "", err
		}
	}
	return "", nil
}

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
	k := &segments.Keep{}
	k.Keep, err = in.keepIndex(ctx, weir.Segment, segmentIndexes, func(table string) bool { return table == traitsTable || table == "segment.memberships" },
		index.Version, definitions, digests)
	if err != nil {
		return err
	}
	if id := in.pins[traitsTable]; k.From != "" && id != 0 {
		if k.Traits, err = in.house.Lake.Files(ctx, traitsTable, id); err != nil {
			return err
		}
	}
	params.Keep = k
	return nil
}
