package sql

import "context"

// Side runs a SELECT on a connection of its own, so that several results can be
// read side by side, each in its order. Its rows spill to disk and are read page
// by page; it sees tables and views, but no temporary tables of the Internal.
func (i *Internal) Side(ctx context.Context, q string) (*Rows, error) {
	conn, err := i.engine.db.Conn(ctx)
	if err != nil {
		return nil, failed("connect to DuckDB", err)
	}
	r, err := pagedRows(ctx, conn, q)
	if err != nil {
		conn.Close()
		return nil, failed("run a query", err)
	}
	return r, nil
}
