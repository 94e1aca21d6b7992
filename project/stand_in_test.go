package project

import (
	"context"

	"github.com/weir-cdp/weir/connectors"
)

func noSource(context.Context, connectors.Env, connectors.Settings) (connectors.Source, error) {
	return nil, connectors.Unsupported("test", "be opened")
}

func noDestination(context.Context, connectors.Env, connectors.Settings) (connectors.Destination, error) {
	return nil, connectors.Unsupported("test", "be opened")
}
