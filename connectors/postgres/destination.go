package postgres

import (
	"github.com/weir-cdp/weir/connectors"
)

func openDestination(env connectors.Env, config connectors.Settings) (connectors.Destination, error) {
	return nil, connectors.Unsupported("postgres", "be written to")
}
