package stages

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	resolver "github.com/weir-cdp/weir/pipelines/resolve"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
	"github.com/weir-cdp/weir/project"
)

// This file lets resolve compute only what new, changed and vanished records touch.
// See docs/adr/20261123-incremental-resolve.md.

// resolveIndexes is where the indexes of runs of resolve lie.
const resolveIndexes = "index/resolve/"

// increasing is resolve with its increments.
func (s *resolving) increasing() *increments[*index.Manifest] {
	return &increments[*index.Manifest]{pipeline: s.pipeline, indexes: resolveIndexes, whole: "resolve computes from all records",
		parse: index.Parse, next: nextResolve, tell: s.tellIncrement,
		keep: func(params json.RawMessage) (*pipelines.Keep, string, error) {
			var p resolver.Params
			if err := json.Unmarshal(params, &p); err != nil {
				return nil, "", weir.Errorf(weir.Internal, "params of resolve: %w", err)
			}
			return p.Keep, "", nil
		},
		left: func(counts map[string]int64) bool { return counts["index_entries"] > 0 }}
}

// keepResolve says where a run leaves its index, and from which one it may go on.
func (in *inputs) keepResolve(ctx context.Context, p *project.Project, params resolver.Params) (*pipelines.Keep, error) {
	if in.files != nil {
		return nil, nil // a rehearsal
	}
	k, err := in.keepIndex(ctx, weir.Resolve, resolveIndexes, func(table string) bool { return strings.HasPrefix(table, "identity.") },
		index.Version, p.Identity, bare(params.Decisions))
	return &k, err
}

// nextResolve makes the spec of an increment, or says why there can be none.
func nextResolve(_ context.Context, m *index.Manifest, sp *spec, oldest time.Duration) (is pipelines.Spec, why string, err error) {
	var params resolver.IncrementParams
	if err := json.Unmarshal(sp.Params, &params); err != nil {
		return is, "", weir.Errorf(weir.Internal, "params of resolve: %w", err)
	}
	switch {
	case m.Basis != params.Keep.Basis:
		return is, "other_rules", nil
	case sp.Run.Now.Sub(m.Began) > oldest:
		return is, "index_old", nil
	}
	const records, links, owners = "core.records", "identity.links", "identity.identifiers"
	is = sp.Spec
	is.Stage, is.Inputs, is.Partitions = weir.Increment, maps.Clone(sp.Inputs), m.Partitions
	delete(is.Inputs, links) // the index knows
	if !m.Seen && len(sp.Inputs["core.events"])+len(sp.Inputs["core.consents"]) == 0 {
		params.Owners = sp.Inputs[owners] // no value was, or will be, of an anonymous profile
		delete(is.Inputs, owners)
	}
	is.Inputs[records], params.Lost = m.Changes(sp.Inputs[records])
	if len(is.Inputs[records]) == 0 && !slices.ContainsFunc(resolver.Increment.Sources, func(t string) bool { return len(is.Inputs[t]) > 0 }) {
		return is, "nothing_to_read", nil // a pipeline begins with a file
	}
	if is.Params, err = json.Marshal(params); err != nil {
		return is, "", weir.Errorf(weir.Internal, "params of an increment: %w", err)
	}
	return is, "", nil
}

// tellIncrement adds to a result what is counted of all blocks, as the last full run
// found it.
func (s *resolving) tellIncrement(ctx context.Context, r *result) error {
	if r.Counts[countIncrement] == 0 {
		return weir.Errorf(weir.Internal, "an increment of resolve ended without its partition").At(string(r.Run.ID))
	}
	last, _, err := s.last(ctx, weir.Resolve, "")
	for name, n := range last.Counts {
		if _, counted := r.Counts[name]; !counted && (strings.HasPrefix(name, resolver.PairsBy) || strings.HasPrefix(name, resolver.PairsLostBy)) {
			r.Counts[name] = n
		}
	}
	return err
}
