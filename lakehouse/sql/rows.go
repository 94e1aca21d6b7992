package sql

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/duckdb/duckdb-go/v2"
)

// pageRows bounds how many rows of a result are in memory at once: the driver
// materialises what a statement gives, outside of DuckDB's memory limit.
const pageRows = 16 << 10

// Column is a column of a result.
type Column struct {
	Name string
	Type string // DuckDB's: VARCHAR, DECIMAL(38,9), TIMESTAMP WITH TIME ZONE, …
}

// Rows are the rows of a result, read one by one, by one goroutine.
type Rows struct {
	ctx     context.Context // of the query
	conn    *sql.Conn
	shared  bool // the connection outlives the rows
	columns []Column
	current *sql.Rows
	values  []any
	scan    []any
	err     error
	// of a paged result
	next, total int64
}

// directRows runs a statement and reads its rows from the driver.
func directRows(ctx context.Context, conn *sql.Conn, q string, args ...any) (*Rows, error) {
	rows, err := conn.QueryContext(ctx, q, args...) //nolint:rowserrcheck // Next looks at r.current.Err
	if err != nil {
		return nil, err
	}
	r := &Rows{ctx: ctx, conn: conn, current: rows}
	types, err := rows.ColumnTypes()
	if err != nil {
		rows.Close() //nolint:sqlclosecheck // else they live on in r
		return nil, err
	}
	for _, t := range types {
		r.columns = append(r.columns, Column{t.Name(), t.DatabaseTypeName()})
	}
	r.prepare()
	return r, nil
}

// pagedRows puts the rows of a SELECT in a temporary table, which spills to disk,
// and reads it page by page.
func pagedRows(ctx context.Context, conn *sql.Conn, q string) (*Rows, error) {
	r := &Rows{ctx: ctx, conn: conn}
	if err := r.describe(q); err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, "CREATE TEMP TABLE weir_result AS SELECT * FROM "+InParentheses(q)); err != nil {
		return nil, err
	}
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM temp.weir_result").Scan(&r.total); err != nil {
		return nil, err
	}
	r.prepare()
	return r, nil
}

// describe takes names and types from the statement itself: a table would
// rename columns of one name.
func (r *Rows) describe(q string) error {
	return r.conn.Raw(func(c any) error {
		prepared, err := c.(*duckdb.Conn).Prepare(q)
		if err != nil {
			return err
		}
		defer prepared.Close()
		stmt := prepared.(*duckdb.Stmt)
		n, err := stmt.ColumnCount()
		if err != nil {
			return err
		}
		for i := range n {
			name, err := stmt.ColumnName(i)
			if err != nil {
				return err
			}
			info, err := stmt.ColumnTypeInfo(i)
			if err != nil {
				return err
			}
			r.columns = append(r.columns, Column{name, typeName(info)})
		}
		return nil
	})
}

func (r *Rows) prepare() {
	r.values, r.scan = make([]any, len(r.columns)), make([]any, len(r.columns))
	for i := range r.scan {
		r.scan[i] = &r.values[i]
	}
}

// Columns returns the result's columns.
func (r *Rows) Columns() []Column { return r.columns }

// Next steps to the next row; false at the end or after an error.
func (r *Rows) Next() bool {
	for r.err == nil {
		if r.current != nil && r.current.Next() {
			r.err = r.read()
			return r.err == nil
		}
		if r.current != nil {
			r.err = failed("read the result", r.current.Err())
			r.current.Close()
			r.current = nil
		}
		if r.err != nil || r.next >= r.total {
			return false
		}
		rows, err := r.conn.QueryContext(r.ctx, fmt.Sprintf( //nolint:rowserrcheck // looked at above, as r.current.Err
			"SELECT * FROM temp.weir_result WHERE rowid >= %d AND rowid < %d ORDER BY rowid", r.next, r.next+pageRows))
		if err != nil {
			r.err = failed("read the result", err)
			return false
		}
		r.current, r.next = rows, r.next+pageRows
	}
	return false
}

func (r *Rows) read() error {
	if err := r.current.Scan(r.scan...); err != nil {
		return failed("read the result", err)
	}
	for i, v := range r.values {
		r.values[i] = valueOf(v, r.columns[i].Type)
	}
	return nil
}

// Values returns the current row's values, valid until the next step: nil, bool,
// int64, float64, string, []byte, time.Time (instants and local times, UTC),
// json.Number (decimals and integers beyond 64 bits, exact), []any,
// map[string]any (maps by their keys' text, and structs). Dates, times of day,
// intervals and UUIDs are text.
func (r *Rows) Values() []any { return r.values }

// Err returns the error that ended the rows, if one did.
func (r *Rows) Err() error { return r.err }

// Close ends the query.
func (r *Rows) Close() error {
	if r.current != nil {
		r.current.Close()
		r.current = nil
	}
	r.total = 0
	if r.shared {
		return nil
	}
	return r.conn.Close()
}
