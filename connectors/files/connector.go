package files

import (
	"context"

	"github.com/weir-cdp/weir/connectors"
)

// Limits that a stream may change.
const (
	defaultMaxBytes    = 64 << 30
	defaultMaxRowBytes = 16 << 20
)

// Connector describes the files connector.
func Connector() connectors.Connector {
	return connectors.Connector{
		Name:    "files",
		Summary: "Files in a folder or an S3-compatible bucket: CSV, NDJSON, JSON, XML and Parquet, plain, gzip or zstd.",
		Config:  append(locationFields(), destinationFields()...),
		Stream:  streamFields(),
		OpenSource: func(ctx context.Context, env connectors.Env, config connectors.Settings) (connectors.Source, error) {
			return openSource(env, config)
		},
		OpenDestination: func(ctx context.Context, env connectors.Env, config connectors.Settings) (connectors.Destination, error) {
			return openDestination(env, config)
		},
	}
}

func locationFields() []connectors.Field {
	return []connectors.Field{
		{Name: "path", Type: connectors.String, Required: true, Example: "data",
			Description: "The folder, relative to the project, or s3://bucket/prefix; a source may also name an absolute folder."},
		{Name: "endpoint", Type: connectors.String, Example: "https://s3.example.org",
			Description: "The S3 service's address; absent: AWS."},
		{Name: "region", Type: connectors.String, Description: "The bucket's region."},
		{Name: "access_key", Type: connectors.String, Secret: true,
			Description: "The access key; absent: AWS's environment variables, credentials file or instance role."},
		{Name: "secret_key", Type: connectors.String, Secret: true, Description: "The secret key."},
		{Name: "path_style", Type: connectors.Bool, Default: false,
			Description: "Put the bucket into the path instead of the host name, as most services other than AWS want."},
	}
}

func destinationFields() []connectors.Field {
	return []connectors.Field{
		{Name: "format", Type: connectors.String, Enum: []string{"csv", "ndjson", "parquet"}, Default: "csv",
			Description: "Of a destination: the format of the files written."},
		{Name: "escape_formulas", Type: connectors.Bool, Default: true,
			Description: "Of a CSV destination: put an apostrophe before text that a spreadsheet would run as a formula (it starts with =, +, -, @, tab or return, and is no plain number or phone number)."},
	}
}

func streamFields() []connectors.Field {
	return []connectors.Field{
		{Name: "path", Type: connectors.String, Required: true, Example: "orders-*.csv.gz",
			Description: "The files inside the folder; * stands for anything within a name, ** for folders, {a,b} for alternatives."},
		{Name: "format", Type: connectors.String, Enum: []string{"csv", "ndjson", "json", "xml", "parquet"},
			Description: "The format; absent: by the extension (.csv, .tsv, .txt, .ndjson, .jsonl, .json, .xml, .parquet)."},
		{Name: "compression", Type: connectors.String, Enum: []string{"none", "gzip", "zstd"},
			Description: "The compression; absent: by the extension (.gz, .zst)."},
		{Name: "delimiter", Type: connectors.String, Example: `";"`,
			Description: `Of CSV: the one character between fields ("tab" for a tab); absent: found from the first rows.`},
		{Name: "quote", Type: connectors.String, Example: `"'"`,
			Description: `Of CSV: the character around fields, "none" if there is none; absent: found from the first rows.`},
		{Name: "encoding", Type: connectors.String, Example: "windows-1252",
			Description: "The text encoding; absent: a byte order mark, an XML declaration or, of CSV, the bytes decide between UTF-8 and Windows-1252."},
		{Name: "header", Type: connectors.Bool, Default: true, Description: "Of CSV: the first row names the columns."},
		{Name: "columns", Type: connectors.Strings, Example: "[id, email]",
			Description: "Of CSV with `header: false`: the columns' names; absent: column_1, column_2, …"},
		{Name: "row", Type: connectors.String, Example: "//optin",
			Description: "Of XML: the path of the element that is a row; // stands for any depth."},
		{Name: "max_bytes", Type: connectors.Int, Default: int64(defaultMaxBytes),
			Description: "The most bytes that a compressed file may unpack to."},
		{Name: "max_row_bytes", Type: connectors.Int, Default: int64(defaultMaxRowBytes),
			Description: "The longest row in bytes; a longer one is rejected."},
	}
}
