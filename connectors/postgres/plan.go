package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// Ranges of a table: of 64 MiB, but no more than fit a plan; a small table is one.
const (
	rangePages = 8192
	smallPages = 1024
	maxRanges  = 64
)

// detail is the plan's Detail.
type detail struct {
	ID    string    `json:"id"` // tells plans apart
	Since *position `json:"since,omitempty"`
	Until *position `json:"until,omitempty"`
}

// pages is a split's Detail: pages from one to before another, 0: to the end.
type pages struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

func (p pages) condition() string {
	switch {
	case p.From == 0 && p.To == 0:
		return "true"
	case p.To == 0:
		return fmt.Sprintf("ctid >= '(%d,0)'", p.From)
	}
	return fmt.Sprintf("ctid >= '(%d,0)' and ctid < '(%d,0)'", p.From, p.To)
}

// options are a stream's settings, checked.
type options struct {
	table       string
	incremental bool
	cursor      string
	late        bool
	columns     []string
	types       map[string]string
	key         []string
	parallel    int
	batchRows   int
}

func parseOptions(st connectors.Stream) (options, error) {
	s := st.Settings
	o := options{table: s.String("table"), cursor: st.Cursor, late: s.Bool("late"), columns: s.Strings("columns"), types: st.Types,
		key: st.Key, parallel: int(s.Int("parallel")), batchRows: int(s.Int("batch_rows"))}
	o.incremental = st.Mode == "incremental" && s.String("deletes") != deletesCompare
	fail := func(next, format string, args ...any) (options, error) {
		return o, weir.Errorf(weir.Invalid, format, args...).At("stream " + st.Name).Then(next)
	}
	switch {
	case o.parallel < 1 || o.parallel > maxRanges:
		return fail(fmt.Sprintf("set 1 to %d", maxRanges), "parallel is %d", o.parallel)
	case o.batchRows < 1 || o.batchRows > 1_000_000:
		return fail("set 1 to 1000000", "batch_rows is %d", o.batchRows)
	case st.Mode != "" && st.Mode != "full" && st.Mode != "incremental":
		return fail("use full or incremental", "sync mode %q is not known", st.Mode)
	}
	return o, nil
}

// Plan implements connectors.Source.
func (s *source) Plan(ctx context.Context, st connectors.Stream, prior connectors.Prior) (connectors.Plan, error) {
	o, err := parseOptions(st)
	if err != nil {
		return connectors.Plan{}, err
	}
	conn, err := s.server.connect(ctx)
	if err != nil {
		return connectors.Plan{}, err
	}
	defer hangUp(conn)
	if err := begin(ctx, conn); err != nil {
		return connectors.Plan{}, s.server.fault(ctx, err)
	}
	rel, err := s.server.describe(ctx, conn, o.table)
	if err != nil {
		return connectors.Plan{}, err
	}
	if _, err := readings(rel, o); err != nil {
		return connectors.Plan{}, err
	}
	p := &planner{rel: rel, o: o, prior: prior}
	if err := conn.QueryRow(ctx, "show server_version_num").Scan(&p.version); err != nil {
		return connectors.Plan{}, s.server.fault(ctx, err)
	}
	if err := conn.QueryRow(ctx, "select md5(concat(pg_backend_pid(), clock_timestamp(), txid_current_snapshot()))").Scan(&p.id); err != nil {
		return connectors.Plan{}, s.server.fault(ctx, err)
	}
	var plan connectors.Plan
	if o.incremental {
		plan, err = p.incremental(ctx, conn)
	} else {
		plan = p.full()
	}
	return plan, s.server.fault(ctx, err)
}

func begin(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "begin isolation level repeatable read read only")
	return err
}

type planner struct {
	rel     *relation
	o       options
	prior   connectors.Prior
	version string
	id      string
}

// full replaces everything that is held, by ranges that are scopes.
func (p *planner) full() connectors.Plan {
	plan := connectors.Plan{Detail: text(detail{ID: p.id}), Splits: p.ranges()}
	held := maps.Clone(p.prior.Scopes)
	for i := range plan.Splits {
		split := &plan.Splits[i]
		split.Scope, split.Version = split.ID, p.id[:16]
		delete(held, split.Scope)
	}
	plan.Drop = slices.Sorted(maps.Keys(held))
	if p.prior.Cursor != "" {
		plan.Drop = append(plan.Drop, "") // rows that incremental reads appended
	}
	return plan
}

func (p *planner) ranges() []connectors.Split {
	n := int64(1)
	if p.rel.stored() && p.rel.pages >= smallPages && p.version >= "140000" {
		n = min(max(p.rel.pages/rangePages, int64(p.o.parallel)), maxRanges)
	}
	each := (p.rel.pages + n - 1) / n
	splits := make([]connectors.Split, n)
	for i := range n {
		r := pages{From: i * each, To: (i + 1) * each}
		if i == n-1 {
			r.To = 0 // rows that come while we plan
		}
		splits[i] = connectors.Split{ID: fmt.Sprintf("range-%02d", i), Detail: text(r), Bytes: each * 8192}
	}
	return splits
}

// incremental appends what came since the prior position.
func (p *planner) incremental(ctx context.Context, conn *pgx.Conn) (connectors.Plan, error) {
	c, err := newCursor(p.rel, p.o.cursor, p.o.late)
	if err != nil {
		return connectors.Plan{}, err
	}
	until, next, err := c.now(ctx, conn, p.rel, p.o.cursor)
	if err != nil {
		return connectors.Plan{}, err
	}
	d := detail{ID: p.id, Until: &until}
	plan := connectors.Plan{Cursor: until.String(), Drop: slices.Sorted(maps.Keys(p.prior.Scopes))} // scopes are of a former full read
	since, ok := parsePosition(p.prior.Cursor)
	if !ok || since.Table != until.Table || since.Column != until.Column || since.Xmin > next || next-since.Xmin >= lostAge {
		plan.Splits, plan.Detail = p.ranges(), text(d)
		return plan, nil
	}
	var some bool
	query := fmt.Sprintf("select exists(select from %s where %s)", p.rel.sql(), c.between(since, until))
	if err := conn.QueryRow(ctx, query).Scan(&some); err != nil {
		return plan, err
	}
	if !some {
		if next-since.Xmin < renewAge {
			plan.Cursor = p.prior.Cursor
		}
		return plan, nil
	}
	d.Since = &since
	plan.Detail, plan.Splits = text(d), []connectors.Split{{ID: "rows-" + p.id[:16], Detail: text(pages{})}}
	return plan, nil
}

func text(v any) string {
	b, _ := json.Marshal(v) // of texts and numbers
	return string(b)
}
