package stages

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines"
	resolver "github.com/weir-cdp/weir/pipelines/resolve"
	"github.com/weir-cdp/weir/project"
)

// resolving is the pipeline of resolve. Before it, where the project asks for a
// model and there is none for its settings yet, that of train.
type resolving struct{ *pipeline }

func resolve(h *House) Stage {
	return &resolving{&pipeline{House: h, stage: weir.Resolve, plan: func(ctx context.Context, p *project.Project, in *inputs) (outline, error) {
		list, err := in.decided(ctx)
		if err != nil {
			return outline{}, err
		}
		since, err := in.known(ctx)
		if err != nil {
			return outline{}, err
		}
		params := resolver.Params{Identity: p.Identity, Labels: labelsOf(p)}
		params.Decisions, params.Ended = settled(list, since)
		if params.Models, err = h.models(ctx, p); err != nil {
			return outline{}, err
		}
		if params.Keep, err = in.keepResolve(ctx, p, params); err != nil {
			return outline{}, err
		}
		o := outline{
			Reads:   resolver.Reads,
			Prior:   resolver.Prior,
			Writes:  named(resolver.Writes...),
			Params:  params,
			Depends: resolver.Params{Identity: p.Identity, Decisions: bare(params.Decisions), Models: params.Models},
		}
		if n := len(list); n > 0 {
			o.Follows = map[string]string{followsDecisions: list[n-1].At.UTC().Format(time.RFC3339Nano)}
		}
		return o, nil
	}}}
}

// Run implements Stage.
func (s *resolving) Run(ctx context.Context, key string, progress func(weir.Progress)) (string, error) {
	if err := s.train(ctx, key, progress); err != nil {
		return "", err
	}
	return s.increasing().Run(ctx, key, progress)
}

// Commit implements Stage.
func (s *resolving) Commit(ctx context.Context, manifest string) (weir.StageRun, error) {
	return s.increasing().Commit(ctx, manifest)
}

// train makes the artefacts that the spec names and the store does not have.
func (s *resolving) train(ctx context.Context, key string, progress func(weir.Progress)) error {
	var sp spec
	if err := s.readJSON(ctx, key, &sp); err != nil {
		return err
	}
	var params resolver.Params
	if err := json.Unmarshal(sp.Params, &params); err != nil {
		return weir.Errorf(weir.Internal, "params of resolve: %w", err)
	}
	wanted := resolver.TrainParams{Identity: params.Identity, Seed: trainingSeed, Labels: params.Labels}
	for _, ref := range params.Models {
		switch _, err := s.store().Stat(ctx, ref.Key); {
		case weir.CodeOf(err) == weir.NotFound:
			wanted.Models = append(wanted.Models, ref)
		case err != nil:
			return err
		}
	}
	const records = "core.records"
	if len(wanted.Models) == 0 {
		return nil
	}
	prefix := runPrefix(sp.Run, s.stage, "train")
	ts := pipelines.Spec{Run: sp.Run, Stage: weir.Train, Inputs: map[string][]weir.DataFile{}, Schemas: map[string]schema.Table{},
		Partitions: 1, Scratch: prefix + "scratch/", Manifest: prefix + "manifest.json"}
	if files := sp.Inputs[records]; len(files) > 0 {
		ts.Inputs[records], ts.Schemas[records] = files, sp.Schemas[records]
	}
	for _, f := range ts.Inputs[records] {
		wanted.Records += f.Rows
	}
	var err error
	if ts.Params, err = json.Marshal(wanted); err != nil {
		return weir.Errorf(weir.Internal, "params of train: %w", err)
	}
	// An attempt that was broken off may have made one of two models: the rest
	// follows what it had written down.
	switch begun, err := s.planned(ctx, prefix+"spec.json"); {
	case err != nil:
		return err
	case !begun:
		if err := pipelines.WriteSpec(ctx, s.store(), prefix+"spec.json", &ts); err != nil {
			return err
		}
	}
	if err := s.Pipeline(ctx, prefix+"spec.json", progress); err != nil {
		return err
	}
	return pipelines.Sweep(ctx, s.store(), &ts)
}

// trainingSeed makes training reproducible.
const trainingSeed = 20260630

// models names the artefacts that a project's settings lead to: one for each
// section with `model:`, its settings and training epoch. Whoever trains first
// with them stores it for all later runs.
func (h *House) models(ctx context.Context, p *project.Project) ([]resolver.ModelRef, error) {
	var refs []resolver.ModelRef
	for _, d := range p.Identity {
		if d.Model == nil {
			continue
		}
		epoch, err := h.Epoch(ctx, d.Kind)
		if err != nil {
			return nil, err
		}
		settings, err := digest([]any{d.Model, d.Identifiers, epoch})
		if err != nil {
			return nil, err
		}
		refs = append(refs, resolver.ModelRef{Kind: d.Kind, Key: fmt.Sprintf("models/%s/%s.json", d.Kind, settings[:16])})
	}
	return refs, nil
}

// epochs holds an object for each time that somebody asked for new models.
const epochs = "models/epochs/"

// Epoch counts how often training of a kind was asked for since the first models.
func (h *House) Epoch(ctx context.Context, kind weir.Kind) (int, error) {
	n := 0
	for info, err := range h.store().List(ctx, epochs) {
		if err != nil {
			return 0, err
		}
		if of, _, one := strings.Cut(strings.TrimPrefix(info.Key, epochs), "/"); !one || of == string(kind) {
			n++
		}
	}
	return n, nil
}

// Retrain makes the next run of resolve train a new model of a kind. Asking again
// before that run is asking once more.
func (h *House) Retrain(ctx context.Context, kind weir.Kind, by string) (int, error) {
	n, err := h.Epoch(ctx, kind)
	if err != nil {
		return 0, err
	}
	for {
		n++
		told, err := json.Marshal(map[string]string{"by": by, "at": h.Clock().UTC().Format("2006-01-02T15:04:05Z")})
		if err != nil {
			return 0, weir.Errorf(weir.Internal, "ask for training: %w", err)
		}
		created, err := h.store().PutIfAbsent(ctx, fmt.Sprintf("%s%s/%06d.json", epochs, kind, n), told)
		if err != nil || created {
			return n, err
		}
	}
}
