package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies/permit"
)

// destination keeps a table as an activation says. It has one connection, which
// is made anew after an error of it.
type destination struct {
	server    *server
	table     string
	key       string
	columns   map[string]string // by field
	sequence  string
	batchRows int

	mu   sync.Mutex
	conn *pgx.Conn
	rel  *relation
}

var _ connectors.Destination = (*destination)(nil)

func openDestination(env connectors.Env, config connectors.Settings) (connectors.Destination, error) {
	s, err := newServer(config)
	if err != nil {
		return nil, err
	}
	d := &destination{server: s, table: config.String("table"), key: config.String("key_column"), columns: config.Map("columns"),
		sequence: config.String("sequence_column"), batchRows: int(config.Int("batch_rows"))}
	at := "destination " + env.Name
	switch {
	case d.table == "" || d.key == "":
		return nil, weir.Errorf(weir.Invalid, "which table and column hold the rows is not said").At(at).Then("set table and key_column")
	case d.batchRows < 1 || d.batchRows > 10_000:
		return nil, weir.Errorf(weir.Invalid, "batch_rows is %d", d.batchRows).At(at).Then("set 1 to 10000")
	}
	taken := map[string]string{d.key: "key_column"}
	if d.sequence != "" {
		if d.sequence == d.key {
			return nil, weir.Errorf(weir.Invalid, "sequence_column is key_column").At(at).Then("use a bigint column of its own")
		}
		taken[d.sequence] = "sequence_column"
	}
	fields := make([]string, 0, len(d.columns))
	for f := range d.columns {
		fields = append(fields, f)
	}
	slices.Sort(fields)
	for _, f := range fields {
		if by, ok := taken[d.columns[f]]; ok && by != "key_column" {
			return nil, weir.Errorf(weir.Invalid, "column %s is of %s and of field %s", d.columns[f], by, f).At(at).Then("give each its own column")
		}
		taken[d.columns[f]] = "field " + f
	}
	return d, nil
}

// Capabilities implements connectors.Destination.
func (d *destination) Capabilities() connectors.Capabilities {
	return connectors.Capabilities{Modes: []weir.Mode{weir.Mirror, weir.Upsert}, BatchRows: d.batchRows, Parallel: 1}
}

// Close implements connectors.Destination.
func (d *destination) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop()
	return nil
}

func (d *destination) drop() {
	if d.conn != nil {
		hangUp(d.conn)
		d.conn = nil
	}
}

// Check implements connectors.Destination: the table and its columns are there,
// the key is unique, and the user may write.
func (d *destination) Check(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop() // what is described may have changed
	return d.connect(ctx)
}

const uniqueQuery = `select exists(select from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
	where i.indrelid = $1 and i.indisunique and i.indisvalid and i.indpred is null and i.indnkeyatts = 1 and a.attname = $2),
	has_table_privilege($1, 'select') and has_table_privilege($1, 'insert') and has_table_privilege($1, 'update') and has_table_privilege($1, 'delete')`

// connect makes the connection and looks at the table, unless that is done.
func (d *destination) connect(ctx context.Context) error {
	if d.conn != nil {
		return nil
	}
	conn, err := d.server.connect(ctx)
	if err != nil {
		return err
	}
	if err := d.look(ctx, conn); err != nil {
		hangUp(conn)
		return err
	}
	d.conn = conn
	return nil
}

func (d *destination) look(ctx context.Context, conn *pgx.Conn) error {
	rel, err := d.server.describe(ctx, conn, d.table)
	if err != nil {
		return err
	}
	want := []string{d.key}
	if d.sequence != "" {
		want = append(want, d.sequence)
	}
	for _, c := range d.columns {
		want = append(want, c)
	}
	slices.Sort(want)
	for _, name := range want {
		if a, ok := rel.column(name); !ok {
			return noColumn(rel, name)
		} else if a.generate {
			return weir.Errorf(weir.Invalid, "column %s is made by the server", name).At(rel.String()).Then("use another column")
		}
	}
	var unique, writable bool
	if err := conn.QueryRow(ctx, uniqueQuery, rel.oid, d.key).Scan(&unique, &writable); err != nil {
		return d.server.fault(ctx, err)
	}
	if !unique {
		return weir.Errorf(weir.Invalid, "column %s has no unique index", d.key).At(rel.String()).
			Then(fmt.Sprintf("create unique index on %s (%s)", rel.sql(), pgx.Identifier{d.key}.Sanitize()))
	}
	if !writable {
		return weir.Errorf(weir.Denied, "user %s may not write %s", d.server.config.User, rel).At(d.server.String()).
			Then(fmt.Sprintf("let an administrator: grant select, insert, update, delete on %s to %s", rel, d.server.config.User))
	}
	d.rel = rel
	return nil
}

// Deliver implements connectors.Destination: one transaction for the batch, and
// if a row is refused, one with a savepoint for each row.
func (d *destination) Deliver(ctx context.Context, batch permit.Batch) ([]connectors.Outcome, error) {
	if batch.Len() == 0 {
		return nil, ctx.Err()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.connect(ctx); err != nil {
		return nil, err
	}
	statements := make([]statement, batch.Len())
	for i, r := range batch.Rows() {
		var err error
		if statements[i], err = d.statement(r); err != nil {
			return nil, err
		}
	}
	out, err := d.together(ctx, statements)
	if refusesRow(err) {
		out, err = d.oneByOne(ctx, batch.Rows(), statements)
	}
	if err != nil {
		d.drop()
		return nil, d.server.fault(ctx, withoutValues(err, batch.Rows()))
	}
	return out, nil
}

// together runs all statements in one transaction, in one round trip.
func (d *destination) together(ctx context.Context, all []statement) ([]connectors.Outcome, error) {
	if _, err := d.conn.Exec(ctx, "begin"); err != nil {
		return nil, err
	}
	b := &pgconn.Batch{}
	b.ExecParams("set constraints all immediate", nil, nil, nil, nil)
	for _, s := range all {
		b.ExecParams(s.sql, s.values, nil, nil, nil)
	}
	if _, err := d.conn.PgConn().ExecBatch(ctx, b).ReadAll(); err != nil {
		return nil, errors.Join(err, d.rollback(ctx))
	}
	if _, err := d.conn.Exec(ctx, "commit"); err != nil {
		return nil, err
	}
	out := make([]connectors.Outcome, len(all))
	for i := range out {
		out[i].Status = connectors.Delivered
	}
	return out, nil
}

func (d *destination) rollback(ctx context.Context) error {
	_, err := d.conn.Exec(ctx, "rollback")
	return err
}

func (d *destination) oneByOne(ctx context.Context, rows []permit.Row, all []statement) ([]connectors.Outcome, error) {
	if _, err := d.conn.Exec(ctx, "begin; set constraints all immediate"); err != nil {
		return nil, err
	}
	out := make([]connectors.Outcome, len(all))
	var mask *connectors.Mask
	for i, s := range all {
		if _, err := d.conn.Exec(ctx, "savepoint weir"); err != nil {
			return nil, err
		}
		_, err := d.conn.PgConn().ExecParams(ctx, s.sql, s.values, nil, nil, nil).Close()
		after := "release savepoint weir"
		switch {
		case err == nil:
			out[i].Status = connectors.Delivered
		case refusesRow(err):
			if mask == nil {
				mask = connectors.NewMask(rows)
			}
			out[i] = connectors.Outcome{Status: connectors.Rejected, Reply: reply(err, mask)}
			after = "rollback to savepoint weir"
		default:
			return nil, err
		}
		if _, err := d.conn.Exec(ctx, after); err != nil {
			return nil, err
		}
	}
	_, err := d.conn.Exec(ctx, "commit")
	return out, err
}
