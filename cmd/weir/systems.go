package main

import (
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/files"
	"github.com/weir-cdp/weir/connectors/postgres"
	"github.com/weir-cdp/weir/connectors/webhook"
)

// systems are the connectors that this binary has.
func systems() map[string]connectors.Connector {
	out := map[string]connectors.Connector{}
	for _, c := range []connectors.Connector{files.Connector(), postgres.Connector(), webhook.Connector()} {
		out[c.Name] = c
	}
	return out
}
