package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

type source struct {
	server   *server
	mu       sync.Mutex
	sessions map[string]*session // by the plan's id
}

var _ connectors.Session = (*source)(nil)

func openSource(config connectors.Settings) (connectors.Source, error) {
	s, err := newServer(config)
	if err != nil {
		return nil, err
	}
	return &source{server: s, sessions: map[string]*session{}}, nil
}

// Close implements connectors.Source. It ends the snapshots.
func (s *source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		hangUp(x.conn)
	}
	clear(s.sessions)
	return nil
}

// Check implements connectors.Source: the server lets the user in, and there is
// a table to read.
func (s *source) Check(ctx context.Context) error {
	conn, err := s.server.connect(ctx)
	if err != nil {
		return err
	}
	defer hangUp(conn)
	var version, name string
	if err := conn.QueryRow(ctx, "select current_setting('server_version_num'), current_setting('server_version')").Scan(&version, &name); err != nil {
		return s.server.fault(ctx, err)
	}
	if len(version) < 6 || version < "120000" {
		return weir.Errorf(weir.Invalid, "the server is PostgreSQL %s", name).At(s.server.String()).Then("use 12 or later")
	}
	names, err := s.server.tables(ctx, conn)
	if err == nil && len(names) == 0 {
		err = weir.Errorf(weir.Denied, "user %s can read no table", s.server.config.User).At(s.server.String()).
			Then("let an administrator grant usage on the schema, and select on its tables")
	}
	return err
}

// session is one snapshot of the database, that reads on other connections share
// while conn's transaction lasts.
type session struct {
	conn     *pgx.Conn
	snapshot string
	token    string
	ascii    bool // texts are of no known encoding
	rel      *relation
	readings []reading
}

// Begin implements connectors.Session.
func (s *source) Begin(ctx context.Context, st connectors.Stream, plan connectors.Plan) (string, error) {
	if len(plan.Splits) == 0 {
		return "", nil
	}
	x, err := s.session(ctx, st, plan)
	if err != nil {
		return "", err
	}
	return x.token, nil
}

// session gives the plan's session, and begins it if it is the first to ask.
func (s *source) session(ctx context.Context, st connectors.Stream, plan connectors.Plan) (*session, error) {
	var d detail
	if err := json.Unmarshal([]byte(plan.Detail), &d); err != nil {
		return nil, weir.Errorf(weir.Internal, "the plan's detail can't be read: %w", err)
	}
	o, err := parseOptions(st)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.sessions[d.ID]; x != nil {
		return x, nil
	}
	conn, err := s.server.connect(ctx)
	if err != nil {
		return nil, err
	}
	x := &session{conn: conn}
	if err := x.begin(ctx, s.server, o); err != nil {
		hangUp(conn)
		return nil, s.server.fault(ctx, err)
	}
	s.sessions[d.ID] = x
	return x, nil
}

func (x *session) begin(ctx context.Context, s *server, o options) error {
	if err := begin(ctx, x.conn); err != nil {
		return err
	}
	rel, err := s.describe(ctx, x.conn, o.table)
	if err != nil {
		return err
	}
	x.rel = rel
	if x.readings, err = readings(rel, o); err != nil {
		return err
	}
	// This locks the table against changes of its columns until the last split is read.
	if _, err := x.conn.Exec(ctx, "select from "+rel.sql()+" limit 0"); err != nil {
		return err
	}
	var encoding string
	err = x.conn.QueryRow(ctx, "select s, md5(concat(s, pg_backend_pid(), clock_timestamp())), current_setting('server_encoding') from pg_export_snapshot() s").
		Scan(&x.snapshot, &x.token, &encoding)
	x.ascii = encoding == "SQL_ASCII"
	return err
}

// readings says how the stream's columns are read.
func readings(rel *relation, o options) ([]reading, error) {
	for _, name := range slices.Concat(o.columns, o.key) {
		if _, ok := rel.column(name); !ok {
			return nil, noColumn(rel, name)
		}
	}
	var out []reading
	for _, a := range rel.columns {
		if len(o.columns) > 0 && !slices.Contains(o.columns, a.name) {
			if slices.Contains(o.key, a.name) {
				return nil, weir.Errorf(weir.Invalid, "columns leaves out the key %s", a.name).At(rel.String()).Then("add it to columns")
			}
			continue
		}
		if !a.readable {
			return nil, weir.Errorf(weir.Denied, "column %s may not be read", a.name).At(rel.String()).
				Then("grant select on it, or list the others in columns")
		}
		r, err := newReading(a, o.types[a.name])
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	for name := range o.types {
		if _, ok := rel.column(name); !ok {
			return nil, noColumn(rel, name)
		}
	}
	if len(out) == 0 {
		return nil, weir.Errorf(weir.Invalid, "the table has no column").At(rel.String()).Then("read another table")
	}
	return out, nil
}

func noColumn(rel *relation, name string) error {
	e := weir.Errorf(weir.Invalid, "there is no column %q", name).At(rel.String())
	names := make([]string, len(rel.columns))
	for i, a := range rel.columns {
		names[i] = a.name
	}
	if n := connectors.Nearest(name, names); n != "" {
		return e.Then("did you mean " + n + "?")
	}
	return e.Then("columns are " + strings.Join(names[:min(len(names), 20)], ", "))
}

// Read implements connectors.Source. The server, the parser and the sink work at
// the same time.
func (s *source) Read(ctx context.Context, st connectors.Stream, plan connectors.Plan, split connectors.Split, sink connectors.Sink) error {
	x, err := s.session(ctx, st, plan)
	var e *weir.Error
	if errors.As(err, &e) && e.Code == weir.Invalid { // it was not when planned; Invalid would leave out this range alone
		changed := *e
		changed.Code = weir.Conflict
		return &changed
	}
	if err != nil {
		return err
	}
	o, err := parseOptions(st)
	if err != nil {
		return err
	}
	query, err := x.query(o, plan, split)
	if err != nil {
		return err
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	items := make(chan item, 1)
	p := newParser(inner, x.readings, items)
	p.batchRows, p.validate, p.origin = o.batchRows, x.ascii, x.rel.String()+"/"+split.ID
	done := make(chan error, 1)
	go func() {
		defer close(items)
		done <- s.copy(inner, x, query, p)
	}()
	var failed error
	for it := range items {
		if failed == nil {
			if failed = give(ctx, x.rel.String(), it, sink); failed != nil {
				cancel()
			}
		}
		if it.rows != nil {
			it.rows.Release()
		}
	}
	err = <-done
	if failed != nil {
		return failed
	}
	return s.server.fault(ctx, err)
}

func give(ctx context.Context, origin string, it item, sink connectors.Sink) error {
	if it.rows != nil {
		return sink.Write(ctx, connectors.Batch{Rows: it.rows, Origin: origin})
	}
	return sink.Reject(ctx, it.rejection)
}

// query selects a split's rows.
func (x *session) query(o options, plan connectors.Plan, split connectors.Split) (string, error) {
	var d detail
	var r pages
	for text, to := range map[string]any{plan.Detail: &d, split.Detail: &r} {
		if err := json.Unmarshal([]byte(text), to); err != nil {
			return "", weir.Errorf(weir.Internal, "the plan's detail can't be read: %w", err)
		}
	}
	where := r.condition()
	if d.Until != nil {
		c, err := newCursor(x.rel, o.cursor, o.late)
		if err != nil {
			return "", err
		}
		if d.Since != nil {
			where += " and (" + c.between(*d.Since, *d.Until) + ")"
		} else {
			where += " and (" + c.first(*d.Until) + ")"
		}
	}
	exprs := make([]string, len(x.readings))
	for i, c := range x.readings {
		exprs[i] = c.query
	}
	return fmt.Sprintf("copy (select %s from %s where %s) to stdout (format binary)", strings.Join(exprs, ", "), x.rel.sql(), where), nil
}

// copy runs the query in the session's snapshot.
func (s *source) copy(ctx context.Context, x *session, query string, p *parser) error {
	conn, err := s.server.connect(ctx)
	if err != nil {
		return err
	}
	defer hangUp(conn)
	if err := begin(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "set transaction snapshot "+quote(x.snapshot)); err != nil {
		return err
	}
	if _, err := conn.PgConn().CopyTo(ctx, p, query); err != nil {
		return err
	}
	return p.flush()
}
