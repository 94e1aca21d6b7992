package sql

import (
	"context"
	"database/sql"
	"sync"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// Internal is the platform's own engine: one connection, temporary tables, joins
// and sorts that spill to disk. It checks nothing, so its statements are the
// platform's own and take values as parameters.
type Internal struct {
	engine *engine
	mu     sync.Mutex
	conn   *sql.Conn
}

// OpenInternal starts an engine without tables.
func OpenInternal(ctx context.Context, o Options) (*Internal, error) {
	e, err := newEngine(ctx, o)
	if err != nil {
		return nil, err
	}
	conn, err := e.db.Conn(ctx)
	if err != nil {
		e.Close()
		return nil, failed("connect to DuckDB", err)
	}
	return &Internal{engine: e, conn: conn}, nil
}

// Attach makes the view schema.table over exactly these files; attaching a table
// again replaces it.
func (i *Internal) Attach(ctx context.Context, t schema.Table, files []weir.DataFile) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.engine.attach(ctx, t, files)
}

// Exec runs a statement and returns the number of rows that it changed.
func (i *Internal) Exec(ctx context.Context, q string, args ...any) (int64, error) {
	res, err := i.conn.ExecContext(ctx, q, args...)
	if err != nil {
		return 0, failed("run a statement", err)
	}
	n, _ := res.RowsAffected() // not every statement has one
	return n, nil
}

// Query runs a statement and returns its rows, which the driver holds in memory
// whole: read large tables by ranges of rowid or of a key. The caller closes the
// rows before the next statement.
func (i *Internal) Query(ctx context.Context, q string, args ...any) (*Rows, error) {
	r, err := directRows(ctx, i.conn, q, args...)
	if err != nil {
		return nil, failed("run a query", err)
	}
	r.shared = true
	return r, nil
}

// Dir is a folder of the engine's own, for files to read and write; it is removed
// on Close.
func (i *Internal) Dir() string { return i.engine.files.own }

// Close ends the engine and removes its temporary files.
func (i *Internal) Close() error {
	i.conn.Close()
	return i.engine.Close()
}
