package main

import (
	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/files"
	"github.com/weir-cdp/weir/connectors/postgres"
	"github.com/weir-cdp/weir/connectors/webhook"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/conform"
	"github.com/weir-cdp/weir/pipelines/resolve"
	"github.com/weir-cdp/weir/pipelines/segment"
	"github.com/weir-cdp/weir/pipelines/unify"
)

// systems are the connectors that this binary has.
func systems() map[string]connectors.Connector {
	out := map[string]connectors.Connector{}
	for _, c := range []connectors.Connector{files.Connector(), postgres.Connector(), webhook.Connector()} {
		out[c.Name] = c
	}
	return out
}

// beams are the stages that run as pipelines.
func beams() map[weir.Stage]pipelines.Pipeline {
	out := map[weir.Stage]pipelines.Pipeline{}
	for _, p := range []pipelines.Pipeline{conform.Pipeline, resolve.Training, resolve.Pipeline, resolve.Increment, unify.Pipeline, segment.Pipeline, segment.Increment} {
		out[p.Stage] = p
	}
	return out
}
