package sql

import (
	"context"
	"database/sql"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/weir-cdp/weir"
)

// statement is an analyst's statement that has passed the check.
type statement struct {
	text string
	// selects: a SELECT (also DESCRIBE, SUMMARIZE, SHOW), whose rows can be kept
	// in a temporary table; else EXPLAIN or PRAGMA, which run as they are.
	selects bool
}

var (
	explains = regexp.MustCompile(`(?is)^\s*explain\s+(analyze\s+)?(.*)$`)
	pragmas  = regexp.MustCompile(`(?i)^\s*pragma\s+(table_info|show)\s*\(\s*'[\w.$" -]+'\s*\)\s*;?\s*$`)
)

// tableFunctions are those that a query may call: they read nothing but their
// arguments and the catalog.
var tableFunctions = map[string]bool{
	"range": true, "generate_series": true, "unnest": true, "repeat": true, "repeat_row": true,
	"json_each": true, "json_tree": true, "summary": true, "histogram": true, "histogram_values": true,
	"pragma_table_info": true, "pragma_show": true, "pragma_version": true,
	"duckdb_columns": true, "duckdb_functions": true, "duckdb_keywords": true, "duckdb_schemas": true,
	"duckdb_tables": true, "duckdb_types": true, "duckdb_views": true, "pg_timezone_names": true,
}

// check admits one statement that only reads. DuckDB's parser does the reading
// of the text, so a comment or a quote can't hide anything from it.
func check(ctx context.Context, conn *sql.Conn, text string) (statement, error) {
	if pragmas.MatchString(text) {
		return statement{text: text}, isSelect(ctx, conn, text)
	}
	inner, explain := text, false
	if m := explains.FindStringSubmatch(text); m != nil {
		inner, explain = m[2], true
	}
	if _, err := checkTree(ctx, conn, inner); err != nil {
		return statement{}, err
	}
	if err := isSelect(ctx, conn, inner); err != nil {
		return statement{}, err
	}
	return statement{text: text, selects: !explain}, nil
}

func refuse(format string, args ...any) error {
	return weir.Errorf(weir.Denied, format, args...).
		Then("ask with one SELECT, WITH, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN over the lake's tables")
}

// checkTree asks DuckDB for the syntax tree and looks at every table function.
func checkTree(ctx context.Context, conn *sql.Conn, text string) (statement any, err error) {
	var tree string
	row := conn.QueryRowContext(ctx, "SELECT json_serialize_sql(?::VARCHAR)::VARCHAR", text)
	if err := row.Scan(&tree); err != nil {
		return nil, failed("read the statement", err)
	}
	var parsed struct {
		Error      bool   `json:"error"`
		Kind       string `json:"error_type"`
		Message    string `json:"error_message"`
		Statements []any  `json:"statements"`
	}
	if err := json.Unmarshal([]byte(tree), &parsed); err != nil {
		return nil, weir.Errorf(weir.Internal, "DuckDB's syntax tree can't be read: %w", err)
	}
	switch {
	case parsed.Error && parsed.Kind == "not implemented":
		return nil, refuse("only statements that read are allowed")
	case parsed.Error:
		return nil, weir.Errorf(weir.Invalid, "the statement has a mistake: %s", parsed.Message)
	case len(parsed.Statements) != 1:
		return nil, refuse("one statement at a time, not %d", len(parsed.Statements))
	}
	statement = parsed.Statements[0]
	visit(statement, func(n map[string]any) {
		if n["type"] == "TABLE_FUNCTION" {
			f, _ := n["function"].(map[string]any)
			name, _ := f["function_name"].(string)
			if !tableFunctions[strings.ToLower(name)] && err == nil {
				err = refuse("table function %q is not allowed", name)
			}
		}
	})
	return statement, err
}

// isSelect prepares the text, which runs nothing (and refuses several
// statements), and looks at its type.
func isSelect(ctx context.Context, conn *sql.Conn, text string) error {
	return conn.Raw(func(c any) error {
		prepared, err := c.(*duckdb.Conn).Prepare(text)
		if err != nil {
			return failed("use the statement", err)
		}
		defer prepared.Close()
		stmt := prepared.(*duckdb.Stmt)
		kind, err := stmt.StatementType()
		if err != nil {
			return failed("use the statement", err)
		}
		if kind != duckdb.STATEMENT_TYPE_SELECT {
			return refuse("only statements that read are allowed")
		}
		if stmt.NumInput() != 0 {
			return refuse("a statement can't have parameters")
		}
		return nil
	})
}
