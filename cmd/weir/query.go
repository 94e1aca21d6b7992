package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/sql"
)

func (a *app) queryCommand() *cobra.Command {
	var asOf, output string
	c := &cobra.Command{
		Use:   "query SQL",
		Short: "Read-only SQL over all tables",
		Long: `Runs one SELECT with DuckDB over the files that ops.runs pins: what finished stages
have written, whole. weir docs tables describes every table and column.`,
		Example: `  weir query "select table_schema, table_name from information_schema.tables order by all"
  weir query "describe core.profiles"
  weir query "select kind, count(*) from core.profiles group by kind"
  weir query --as-of 2026-06-01T00:00:00Z "select count(*) from segment.memberships"
  weir query --output vip.parquet "select * from segment.memberships where segment = 'vip'"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var at time.Time
			if asOf != "" {
				var err error
				if at, err = moment("as-of", asOf); err != nil {
					return err
				}
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error { return a.query(ctx, pl, args[0], at, output) })
		},
	}
	c.Flags().StringVar(&asOf, "as-of", "", "the tables as they were then, RFC 3339 or a date (midnight UTC)")
	c.Flags().StringVar(&output, "output", "", "write to FILE.csv, .parquet or .ndjson")
	return c
}

func (a *app) query(ctx context.Context, pl *platform, query string, at time.Time, output string) error {
	sess, err := sql.Open(ctx, pl.sqlOptions(pl.config.Object))
	if err != nil {
		return err
	}
	defer sess.Close()
	if err := pl.house.AttachAll(ctx, sess, at); err != nil {
		return err
	}
	if output != "" {
		path, err := filepath.Abs(output)
		if err != nil {
			return weir.Errorf(weir.Invalid, "--output: %w", err)
		}
		n, err := sess.Export(ctx, query, path)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(map[string]any{"rows": n, "output": output})
		}
		a.printf("%s rows in %s\n", count(n), output)
		return nil
	}
	rows, err := sess.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	if a.json {
		return a.printRows(rows)
	}
	return a.showRows(rows)
}

// printRows writes the rows as one JSON array, row by row.
func (a *app) printRows(rows *sql.Rows) error {
	cols := rows.Columns()
	a.printf("[")
	for n := 0; rows.Next(); n++ {
		if n > 0 {
			a.printf(",")
		}
		a.printf("\n{")
		for i, v := range rows.Values() {
			name, err := json.Marshal(cols[i].Name)
			if err != nil {
				return err
			}
			value, err := json.Marshal(v)
			if err != nil {
				return weir.Errorf(weir.Internal, "column %s: %w", cols[i].Name, err)
			}
			if i > 0 {
				a.printf(", ")
			}
			a.printf("%s: %s", name, value)
		}
		a.printf("}")
	}
	a.printf("\n]\n")
	return rows.Err()
}

// shown bounds what is printed for a person.
const shown = 1000

func (a *app) showRows(rows *sql.Rows) error {
	var header []string
	for _, c := range rows.Columns() {
		header = append(header, c.Name)
	}
	var lines [][]string
	more := false
	for rows.Next() {
		if len(lines) == shown {
			more = true
			break
		}
		line := make([]string, len(header))
		for i, v := range rows.Values() {
			line[i] = cell(v)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	a.table(header, lines)
	if more {
		a.sayf("only the first %d rows are shown; --output FILE.csv has all\n", shown)
	}
	return nil
}

// cell writes a value for a table: one line, no control characters.
func cell(v any) string {
	var s string
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		s = v
	case time.Time:
		s = v.Format("2006-01-02 15:04:05.999999")
	case []any, map[string]any:
		b, err := json.Marshal(v)
		if err != nil {
			return err.Error()
		}
		s = string(b)
	default:
		s = fmt.Sprint(v)
	}
	return onScreen(s)
}
