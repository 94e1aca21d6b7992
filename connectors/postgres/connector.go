package postgres

import (
	"context"

	"github.com/weir-cdp/weir/connectors"
)

const (
	defaultBatchRows = 8192
	deletesNone      = "none"
	deletesCompare   = "compare"
)

// Connector describes the postgres connector.
func Connector() connectors.Connector {
	return connectors.Connector{
		Name:    "postgres",
		Summary: "Tables of PostgreSQL 12 or later: full by one snapshot, or incremental by a cursor; and tables kept as an activation says.",
		Config:  append(serverFields(), destinationFields()...),
		Stream:  streamFields(),
		OpenSource: func(ctx context.Context, env connectors.Env, config connectors.Settings) (connectors.Source, error) {
			return openSource(config)
		},
		OpenDestination: func(ctx context.Context, env connectors.Env, config connectors.Settings) (connectors.Destination, error) {
			return openDestination(env, config)
		},
	}
}

func serverFields() []connectors.Field {
	return []connectors.Field{
		{Name: "dsn", Type: connectors.String, Secret: true, Example: `"${env:CRM_DSN}"`,
			Description: "The connection string, postgres://user:password@host:5432/database; or set host and those below."},
		{Name: "host", Type: connectors.String, Example: "db.example.org", Description: "The server, or the folder of its socket; without dsn."},
		{Name: "port", Type: connectors.Int, Default: int64(5432), Description: "The port; without dsn."},
		{Name: "database", Type: connectors.String, Description: "The database; without dsn."},
		{Name: "user", Type: connectors.String, Description: "The user; without dsn."},
		{Name: "password", Type: connectors.String, Secret: true, Description: "The password; without dsn."},
		{Name: "sslmode", Type: connectors.String, Enum: []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}, Default: "prefer",
			Description: "How the connection is encrypted; without dsn."},
		{Name: "statement_timeout", Type: connectors.Span,
			Description: "The most time for one statement; absent: as the server has it for the user."},
	}
}

func streamFields() []connectors.Field {
	return []connectors.Field{
		{Name: "table", Type: connectors.String, Required: true, Example: "public.contacts", Description: "The table, view or materialised view."},
		{Name: "columns", Type: connectors.Strings, Example: "[contact_id, email]", Description: "The columns to read; absent: all."},
		{Name: "parallel", Type: connectors.Int, Default: int64(2), Description: "At least so many ranges of a big table, read at once."},
		{Name: "batch_rows", Type: connectors.Int, Default: int64(defaultBatchRows), Description: "Rows held in memory of each range."},
		{Name: "deletes", Type: connectors.String, Enum: []string{deletesNone, deletesCompare}, Default: deletesNone,
			Description: "compare: every sync reads the whole table, so that rows that are gone go from the lake, too."},
		{Name: "late", Type: connectors.Bool, Default: true,
			Description: "Of incremental: scan the table for rows that were committed late or changed without their cursor; false reads by the cursor's index alone and misses those."},
	}
}

func destinationFields() []connectors.Field {
	return []connectors.Field{
		{Name: "table", Type: connectors.String, Example: "crm.audience", Description: "Of a destination: the table, which has to exist."},
		{Name: "key_column", Type: connectors.String, Example: "email", Description: "Of a destination: the column of the activation's key, with a unique index."},
		{Name: "columns", Type: connectors.Map, Example: "{first_name: given_name}",
			Description: "Of a destination: the column of a field, where their names differ."},
		{Name: "sequence_column", Type: connectors.String,
			Description: "Of a destination: a bigint column for the delivery's sequence; an older delivery then never replaces a newer one."},
		{Name: "batch_rows", Type: connectors.Int, Default: int64(1000), Description: "Of a destination: the most rows in one transaction."},
	}
}
