package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
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
	names, err := keys(rows.Columns())
	if err != nil {
		return err
	}
	a.printf("[")
	for n := 0; rows.Next(); n++ {
		if n > 0 {
			a.printf(",")
		}
		a.printf("\n{")
		for i, v := range rows.Values() {
			value, err := json.Marshal(numbers(v))
			if err != nil {
				return weir.Errorf(weir.Internal, "column %s: %w", names[i], err)
			}
			if i > 0 {
				a.printf(", ")
			}
			a.printf("%s: %s", names[i], value)
		}
		a.printf("}")
	}
	a.printf("\n]\n")
	return rows.Err()
}

// keys are the columns' names as JSON; of columns of one name the second is NAME_1, as in
// the files of --output, since an object has a key once.
func keys(cols []sql.Column) ([]string, error) {
	seen, out := map[string]bool{}, make([]string, len(cols))
	for i, c := range cols {
		name := c.Name
		for n := 1; seen[name]; n++ {
			name = fmt.Sprintf("%s_%d", c.Name, n)
		}
		seen[name] = true
		b, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		out[i] = string(b)
	}
	return out, nil
}

// numbers writes what JSON has no number for as text, as Protocol Buffers' JSON does:
// "NaN", "Infinity", "-Infinity".
func numbers(v any) any {
	switch v := v.(type) {
	case float64:
		switch {
		case math.IsNaN(v):
			return "NaN"
		case math.IsInf(v, 1):
			return "Infinity"
		case math.IsInf(v, -1):
			return "-Infinity"
		}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = numbers(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = numbers(e)
		}
		return out
	}
	return v
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
		b, err := json.Marshal(numbers(v))
		if err != nil {
			return err.Error()
		}
		s = string(b)
	default:
		s = fmt.Sprint(v)
	}
	return onScreen(s)
}
