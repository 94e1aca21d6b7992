package connectors_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir/connectors"
)

var fields = []connectors.Field{
	{Name: "path", Type: connectors.String, Required: true, Description: "Where the files are.", Example: "data"},
	{Name: "format", Type: connectors.String, Enum: []string{"csv", "ndjson"}, Default: "csv", Description: "The format."},
	{Name: "port", Type: connectors.Int, Default: int64(5432), Description: "The port."},
	{Name: "rate", Type: connectors.Float, Description: "Rows a second."},
	{Name: "header", Type: connectors.Bool, Default: true, Description: "A first row of names."},
	{Name: "timeout", Type: connectors.Span, Default: "30s", Description: "How long."},
	{Name: "columns", Type: connectors.Strings, Description: "Names."},
	{Name: "headers", Type: connectors.Map, Description: "HTTP headers."},
	{Name: "retry", Type: connectors.Object, Description: "Tries.", Fields: []connectors.Field{
		{Name: "times", Type: connectors.Int, Required: true, Description: "How often."},
		{Name: "every", Type: connectors.Span, Default: time.Second, Description: "Pause."},
	}},
	{Name: "token", Type: connectors.String, Secret: true, Description: "A | token."},
}

func TestParseSettingsGivesTypedValuesAndDefaults(t *testing.T) {
	got, errs := connectors.ParseSettings(fields, map[string]any{
		"path": "data", "port": "5433", "rate": 2, "header": "false", "timeout": "7d",
		"columns": []any{"a", "b"}, "headers": map[any]any{"X-A": "1"},
		"retry": map[string]any{"times": uint64(3)}, "token": nil,
	})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	want := connectors.Settings{
		"path": "data", "format": "csv", "port": int64(5433), "rate": 2.0, "header": false,
		"timeout": 7 * 24 * time.Hour, "columns": []string{"a", "b"},
		"headers": map[string]string{"X-A": "1"},
		"retry":   connectors.Settings{"times": int64(3), "every": time.Second},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

func TestParseSettingsReportsEveryFaultWithItsPath(t *testing.T) {
	cases := []struct {
		name string
		raw  map[string]any
		want string // "path: part of message and next"
	}{
		{"missing", map[string]any{}, "path: missing: Where the files are; for example `path: data`"},
		{"absent value", map[string]any{"path": nil}, "path: missing"},
		{"unknown", map[string]any{"path": "x", "fromat": "csv"}, `fromat: unknown key "fromat"; did you mean format?`},
		{"unknown, nothing near", map[string]any{"path": "x", "zzzzzzzzz": 1}, "zzzzzzzzz: unknown key \"zzzzzzzzz\"; known keys: path, format"},
		{"unknown nested", map[string]any{"path": "x", "retry": map[string]any{"times": 1, "evry": "1s"}}, `retry.evry: unknown key "evry"; did you mean every?`},
		{"missing nested", map[string]any{"path": "x", "retry": map[string]any{}}, "retry.times: missing"},
		{"number for a string", map[string]any{"path": 12}, "path: must be a string, not a whole number; put it in quotes"},
		{"enum", map[string]any{"path": "x", "format": "cvs"}, `format: must be one of csv, ndjson, not "cvs"; did you mean csv?`},
		{"fraction for an int", map[string]any{"path": "x", "port": 1.5}, "port: must be a whole number, not a number"},
		{"word for an int", map[string]any{"path": "x", "port": "many"}, "port: must be a whole number"},
		{"bool", map[string]any{"path": "x", "header": "si"}, "header: must be true or false"},
		{"duration", map[string]any{"path": "x", "timeout": "soon"}, "timeout: must be a duration like 30s"},
		{"negative duration", map[string]any{"path": "x", "timeout": "-5s"}, "timeout: must be a duration"},
		{"list item", map[string]any{"path": "x", "columns": []any{"a", 1}}, "columns.1: must be a string"},
		{"list", map[string]any{"path": "x", "columns": "a"}, "columns: must be a list of strings"},
		{"map value", map[string]any{"path": "x", "headers": map[string]any{"b": true}}, "headers.b: must be a string, not a boolean"},
		{"object", map[string]any{"path": "x", "retry": []any{}}, "retry: must be a mapping"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, errs := connectors.ParseSettings(fields, c.raw)
			if got != nil || len(errs) != 1 {
				t.Fatalf("got %v, %v; want one error", got, errs)
			}
			if !strings.HasPrefix(errs[0].Error(), c.want) {
				t.Errorf("got  %s\nwant %s", errs[0], c.want)
			}
		})
	}
}

func TestParseSettingsNeverShowsASecretsValue(t *testing.T) {
	_, errs := connectors.ParseSettings(fields, map[string]any{"path": "x", "token": []any{"s3cret"}, "port": "s3cret"})
	if len(errs) != 2 {
		t.Fatal(errs)
	}
	for _, e := range errs {
		if strings.Contains(e.Error(), "s3cret") {
			t.Errorf("shows the value: %s", e)
		}
	}
}

func TestMarkdown(t *testing.T) {
	got := connectors.Markdown(connectors.Connector{Name: "demo", Summary: "A demonstration.", Config: fields})
	for _, want := range []string{
		"## demo\n\nA demonstration.\n",
		"| `path` | string | required | Where the files are. Example: `data`. |",
		"| `format` | `csv`, `ndjson` | `csv` | The format. |",
		"| `retry.every` | duration | `1s` | Pause. |",
		"A \\| token. A secret: write `${env:NAME}` or `${file:PATH}`.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q in\n%s", want, got)
		}
	}
}
