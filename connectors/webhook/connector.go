package webhook

import (
	"context"

	"github.com/weir-cdp/weir/connectors"
)

// Connector describes the webhook connector.
func Connector() connectors.Connector {
	return connectors.Connector{
		Name:    "webhook",
		Summary: "Any HTTP endpoint that takes JSON, or what a template makes, in batches or row by row.",
		Config: []connectors.Field{
			{Name: "url", Type: connectors.String, Required: true, Example: "https://api.example.org/audience",
				Description: "The endpoint; http or https."},
			{Name: "method", Type: connectors.String, Enum: []string{"POST", "PUT", "PATCH"}, Default: "POST",
				Description: "The HTTP method."},
			{Name: "mode", Type: connectors.String, Enum: []string{modeBatch, modeSingle}, Default: modeBatch,
				Description: "One request for many rows, or one for each row."},
			{Name: "batch_rows", Type: connectors.Int, Default: int64(100),
				Description: "In batch mode: the most rows in one request."},
			{Name: "headers", Type: connectors.Map, Example: `{Authorization: "Bearer ${env:ESP_TOKEN}"}`,
				Description: "Further request headers; credentials belong here, not into the URL."},
			{Name: "secret", Type: connectors.String, Secret: true,
				Description: "Signs each body: X-Weir-Signature is sha256= and the hexadecimal HMAC-SHA256."},
			{Name: "template", Type: connectors.String, Example: `{"users": [{{range $i, $r := .Rows}}{{if $i}},{{end}}{{.Fields.email}}{{end}}]}`,
				Description: "A Go text/template of the body. In batch mode it sees .Activation, .RunID, .Class (where the policy wants rows apart) and .Rows; in single mode one row's .Key, .Op, .Removal, .IdempotencyKey, .Sequence, .Fields and the first three. Values print as JSON (absent: null); {{text .Key}} prints plain text."},
			{Name: "timeout", Type: connectors.Span, Default: "30s", Description: "The most time for one request."},
			{Name: "rows_per_second", Type: connectors.Float, Description: "The most rows in a second; absent: no limit."},
			{Name: "parallel", Type: connectors.Int, Default: int64(1), Description: "Requests at once."},
		},
		OpenDestination: func(ctx context.Context, env connectors.Env, config connectors.Settings) (connectors.Destination, error) {
			return open(env, config)
		},
	}
}
