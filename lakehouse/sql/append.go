package sql

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/duckdb/duckdb-go/v2"
)

// Append adds rows to a table of the engine's own, many at a time: fill calls add
// with the values of one row, nil for null, in the order of the table's columns.
// After an error the table may hold some of them.
func (i *Internal) Append(ctx context.Context, table string, fill func(add func(values ...driver.Value) error) error) error {
	return i.conn.Raw(func(c any) error {
		conn, ok := c.(driver.Conn)
		if !ok {
			return failed("append rows", errors.New("not DuckDB's connection"))
		}
		a, err := duckdb.NewAppenderFromConn(conn, "", table)
		if err != nil {
			return failed("append rows", err)
		}
		err = fill(func(values ...driver.Value) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return a.AppendRow(values...)
		})
		return failed("append rows", errors.Join(err, a.Close()))
	})
}
