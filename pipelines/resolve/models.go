package resolve

import (
	"context"
	"errors"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// modelRule names the edges that a model's score made.
const modelRule = "model"

// ModelRef says where the trained model of a kind of records is stored.
type ModelRef struct {
	Kind weir.Kind `json:"kind"`
	Key  string    `json:"key"` // object key of the artefact, JSON
}

// ReadModel loads an artefact.
func ReadModel(ctx context.Context, read func(ctx context.Context, key string) ([]byte, error), key string) (*model.Model, error) {
	data, err := read(ctx, key)
	if err != nil {
		return nil, err
	}
	m, err := model.Parse(data)
	if err != nil {
		var e *weir.Error
		if errors.As(err, &e) {
			return nil, e.At(key)
		}
	}
	return m, err
}

type modelsByKind = map[weir.Kind]*model.Model

// models loads the run's artefacts once per process.
func models(ctx context.Context, t *pipelines.Task) (map[weir.Kind]*model.Model, error) {
	return pipelines.Shared(t, "models", func() (map[weir.Kind]*model.Model, error) {
		p, err := pipelines.Params[Params](t)
		if err != nil {
			return nil, err
		}
		out := map[weir.Kind]*model.Model{}
		for _, ref := range p.Models {
			m, err := ReadModel(ctx, t.Store().ReadFile, ref.Key)
			if weir.CodeOf(err) == weir.NotFound {
				continue // of a kind of which there were no records to learn from
			}
			if err != nil {
				return nil, err
			}
			out[ref.Kind] = m
		}
		return out, nil
	})
}
