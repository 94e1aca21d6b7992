// Package roster lists the pipelines that Weir has. The program that submits them and
// the worker that runs them on a cluster both have this list, so that neither knows a
// stage that the other lacks.
//
// Neighbours: cmd/weir and cmd/weir-pipeline; the stages' packages below pipelines.
package roster

import (
	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/conform"
	"github.com/weir-cdp/weir/pipelines/resolve"
	"github.com/weir-cdp/weir/pipelines/segment"
	"github.com/weir-cdp/weir/pipelines/unify"
)

// Pipelines are all pipelines by the stage that a spec names.
func Pipelines() map[weir.Stage]pipelines.Pipeline {
	out := map[weir.Stage]pipelines.Pipeline{}
	for _, p := range []pipelines.Pipeline{conform.Pipeline, resolve.Training, resolve.Pipeline, resolve.Increment, unify.Pipeline, segment.Pipeline, segment.Increment} {
		out[p.Stage] = p
	}
	return out
}

// Secrets are the secrets that pipelines ask for by name.
func Secrets() []string { return []string{unify.LineageSecret, conform.SecretName} }
