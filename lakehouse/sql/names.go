package sql

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// Names are what a statement refers to.
type Names struct {
	// Tables are schema.table, sorted; common table expressions are not among them.
	Tables []string
	// Unsteady are functions that give other values each time: now, random, …
	Unsteady []string
}

// moments are functions that stand without brackets; the parser takes them for
// columns.
var moments = map[string]bool{"current_date": true, "current_time": true, "current_timestamp": true, "localtime": true, "localtimestamp": true}

// Names reads a statement without running it: what has to be attached for it, and
// whether the same tables always give the same rows. Errors are those of Query.
func (s *Session) Names(ctx context.Context, q string) (Names, error) {
	conn, err := s.engine.db.Conn(ctx)
	if err != nil {
		return Names{}, failed("connect to DuckDB", err)
	}
	defer conn.Close()
	tree, err := checkTree(ctx, conn, q)
	if err != nil {
		return Names{}, err
	}
	rows, err := conn.QueryContext(ctx, "select distinct function_name from duckdb_functions() where stability <> 'CONSISTENT'")
	if err != nil {
		return Names{}, failed("list DuckDB's functions", err)
	}
	defer rows.Close()
	unsteady := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return Names{}, failed("list DuckDB's functions", err)
		}
		unsteady[name] = true
	}
	if err := rows.Err(); err != nil {
		return Names{}, failed("list DuckDB's functions", err)
	}
	tables, called := map[string]bool{}, map[string]bool{}
	visit(tree, func(n map[string]any) {
		if name, _ := n["function_name"].(string); unsteady[strings.ToLower(name)] {
			called[strings.ToLower(name)] = true
		}
		if path, _ := n["column_names"].([]any); n["type"] == "COLUMN_REF" && len(path) == 1 {
			if name, _ := path[0].(string); moments[strings.ToLower(name)] {
				called[strings.ToLower(name)] = true
			}
		}
		schema, _ := n["schema_name"].(string)
		if n["type"] == "BASE_TABLE" && schema != "" {
			table, _ := n["table_name"].(string)
			tables[schema+"."+table] = true
		}
	})
	return Names{Tables: slices.Sorted(maps.Keys(tables)), Unsteady: slices.Sorted(maps.Keys(called))}, nil
}

// visit calls f for every object of a syntax tree.
func visit(node any, f func(map[string]any)) {
	switch n := node.(type) {
	case []any:
		for _, x := range n {
			visit(x, f)
		}
	case map[string]any:
		f(n)
		for _, x := range n {
			visit(x, f)
		}
	}
}
