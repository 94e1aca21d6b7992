package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/connectortest"
	"github.com/weir-cdp/weir/test/postgrestest"
)

func connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func exec(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// lake holds the last value of each key, as conform takes it.
type lake struct {
	prior connectors.Prior
	held  map[string]string
	reads int // rows of the last sync
}

func (l *lake) sync(t testing.TB, dsn string, st connectors.Stream, values string) {
	t.Helper()
	c, prior := sync(t, dsn, st, l.prior)
	for _, r := range c.Rows {
		l.held[r.Key(st.Key)] = r[values]
	}
	l.prior, l.reads = prior, len(c.Rows)
}

// truth compares what is held with the table.
func (l *lake) truth(t testing.TB, dsn, query string) {
	t.Helper()
	rows, err := connect(t, dsn).Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for rows.Next() {
		var k, v string
		if err := rows.Scan(&k, &v); err != nil {
			t.Fatal(err)
		}
		if got, ok := l.held[k]; !ok || got != v {
			t.Errorf("row %s is %q in the table and %q (held: %v) in the lake", k, v, got, ok)
		}
		n++
	}
	if rows.Err() != nil || n == 0 {
		t.Error(n, rows.Err())
	}
}

const notes = "create table notes (id int primary key, v text, at timestamptz)"

func TestTiesAndLateCommitsAreNotSkipped(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	postgrestest.Exec(t, dsn, notes+"; insert into notes select i, 'a', '2024-01-01' from generate_series(1, 20) i")
	st := stream(t, "at", map[string]any{"table": "notes"}, "id")
	l := &lake{held: map[string]string{}}

	late, nested := connect(t, dsn), connect(t, dsn)
	exec(t, late, "begin")
	exec(t, late, "insert into notes values (21, 'late', '2023-06-01')")
	exec(t, nested, "begin; insert into notes values (30, 'top', '2023-06-01'); savepoint s; insert into notes values (22, 'late in a savepoint', '2023-06-01')")
	l.sync(t, dsn, st, "v")
	if l.reads != 20 {
		t.Errorf("the first sync read %d rows", l.reads)
	}
	exec(t, late, "commit")
	postgrestest.Exec(t, dsn, "insert into notes values (23, 'tie', '2024-01-01'), (24, 'null', null), (25, 'endless', 'infinity')")
	postgrestest.Exec(t, dsn, "update notes set v = 'changed without its cursor' where id = 3")
	l.sync(t, dsn, st, "v")
	if l.reads < 5 {
		t.Errorf("the second sync read %d rows, want late, tie, null, endless and changed", l.reads)
	}
	exec(t, nested, "commit")
	l.sync(t, dsn, st, "v")
	l.truth(t, dsn, "select id::text, v from notes")

	// once nothing is in flight, what was read twice is read no more
	l.sync(t, dsn, st, "v")
	before := l.prior.Cursor
	l.sync(t, dsn, st, "v")
	if l.reads != 0 || l.prior.Cursor != before {
		t.Errorf("nothing changed, yet %d rows are read; cursor %s, then %s", l.reads, before, l.prior.Cursor)
	}
	// other tables' transactions do not move the cursor
	postgrestest.Exec(t, dsn, "create table other (x int); insert into other values (1)")
	l.sync(t, dsn, st, "v")
	if l.reads != 0 || l.prior.Cursor != before {
		t.Errorf("another table moved the cursor to %s", l.prior.Cursor)
	}
}

// Writers commit out of order, with few distinct cursor values, while syncs run.
func TestNoRowIsSkippedWithConcurrentWriters(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	postgrestest.Exec(t, dsn, notes+"; create index on notes (at)")
	st := stream(t, "at", map[string]any{"table": "notes", "batch_rows": 50}, "id")
	const writers, each = 4, 60
	done := make(chan error, writers)
	for w := range writers {
		conn := connect(t, dsn)
		go func() { done <- write(t.Context(), conn, w, each) }()
	}
	l := &lake{held: map[string]string{}}
	for left := writers; left > 0; {
		l.sync(t, dsn, st, "v")
		select {
		case err := <-done:
			if left--; err != nil {
				t.Error(err)
			}
		default:
		}
	}
	l.sync(t, dsn, st, "v")
	l.truth(t, dsn, "select id::text, v from notes")
	if len(l.held) != writers*each {
		t.Errorf("%d rows held", len(l.held))
	}
}

// write makes transactions whose cursor is the time at which they began.
func write(ctx context.Context, conn *pgx.Conn, w, n int) error {
	for i := range n {
		id := w*1000 + i
		for _, sql := range []string{"begin", "select date_trunc('second', now())",
			fmt.Sprintf("insert into notes values (%d, 'v0', date_trunc('second', now()) - interval '%d seconds')", id, i%3), "savepoint a",
			fmt.Sprintf("update notes set v = 'v1' where id = %d", id), "commit"} {
			if _, err := conn.Exec(ctx, sql); err != nil {
				return err
			}
		}
		if i%2 == 0 {
			if _, err := conn.Exec(ctx, "update notes set v = v || '+' where id = $1", id); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestCursorTypes(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	for typ, values := range map[string][3]string{
		"smallint": {"-1", "9", "10"}, "int": {"9", "10", "11"}, "bigint": {"1", "9007199254740993", "9007199254740994"},
		"numeric": {"1.5", "99999999999999999999.5", "99999999999999999999.51"}, "date": {"2024-01-01", "2024-01-02", "2024-01-03"},
		"timestamp":   {"2024-01-01 00:00:00.000001", "2024-01-01 00:00:00.000002", "2024-01-01 00:00:00.000003"},
		"timestamptz": {"2024-03-31 01:59:59+01", "2024-03-31 03:00:00+02", "2024-03-31 03:00:00.5+02"},
		"uuid":        {"00000000-0000-0000-0000-000000000001", "0190f3a4-0000-7000-8000-000000000000", "0190f3a4-0000-7000-8000-000000000001"},
	} {
		for _, late := range []bool{true, false} {
			t.Run(fmt.Sprint(typ, late), func(t *testing.T) {
				postgrestest.Exec(t, dsn, fmt.Sprintf("drop table if exists c; create table c (id int, c %s); insert into c values (1, '%s'), (2, '%s'), (3, null)", typ, values[0], values[1]))
				st := stream(t, "c", map[string]any{"table": "c", "late": late}, "id")
				l := &lake{held: map[string]string{}}
				l.sync(t, dsn, st, "id")
				postgrestest.Exec(t, dsn, fmt.Sprintf("insert into c values (4, '%s'), (5, '%s')", values[1], values[2]))
				l.sync(t, dsn, st, "id")
				if want := map[bool]int{true: 2, false: 4}[late]; l.reads != want { // without late: the last value and null again
					t.Errorf("read %d rows, want %d", l.reads, want)
				}
				l.truth(t, dsn, "select id::text, id::text from c")
			})
		}
	}
}

func TestViewsAndPartitionsIncrementally(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	postgrestest.Exec(t, dsn, `create table p (id int, v text, at int) partition by range (at);
		create table p1 partition of p for values from (0) to (10); create table p2 partition of p for values from (10) to (20);
		create view pv as select * from p; insert into p values (1, 'a', 3), (2, 'b', 12)`)
	for _, table := range []string{"p", "pv"} {
		l, st := &lake{held: map[string]string{}}, stream(t, "at", map[string]any{"table": table}, "id")
		l.sync(t, dsn, st, "v")
		postgrestest.Exec(t, dsn, "delete from p where id > 2; insert into p values (3, 'c', 12), (4, 'd', 15)")
		l.sync(t, dsn, st, "v")
		l.truth(t, dsn, "select id::text, v from p")
	}
}

func TestModeChangesReplaceWhatWasHeld(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	postgrestest.Exec(t, dsn, notes+"; insert into notes values (1, 'a', '2024-01-01')")
	src := source(t, dsn)
	plan := func(st connectors.Stream, prior connectors.Prior) connectors.Plan {
		p, err := src.Plan(t.Context(), st, prior)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	inc, full := stream(t, "at", map[string]any{"table": "notes"}, "id"), stream(t, "", map[string]any{"table": "notes"}, "id")
	first := plan(inc, connectors.Prior{})
	toFull := plan(full, connectortest.After(connectors.Prior{}, first))
	if fmt.Sprintf("%q", toFull.Drop) != `[""]` || toFull.Cursor != "" || toFull.Splits[0].Scope == "" {
		t.Errorf("to full: %+v", toFull)
	}
	back := plan(inc, connectortest.After(connectors.Prior{}, toFull))
	if fmt.Sprintf("%q", back.Drop) != `["range-00"]` || back.Splits[0].Scope != "" || back.Cursor == "" {
		t.Errorf("to incremental: %+v", back)
	}
	again := plan(full, connectortest.After(connectors.Prior{}, toFull))
	if again.Splits[0].Version == toFull.Splits[0].Version || again.Splits[0].Scope != toFull.Splits[0].Scope || len(again.Drop) != 0 {
		t.Errorf("full again: %+v", again)
	}
	compare := stream(t, "at", map[string]any{"table": "notes", "deletes": "compare"}, "id")
	if p := plan(compare, connectortest.After(connectors.Prior{}, toFull)); p.Splits[0].Scope == "" {
		t.Errorf("comparing for deletions does not replace: %+v", p)
	}
	// a position of another server, with more transactions, is of no use
	if p := plan(inc, connectors.Prior{Cursor: strings.Replace(first.Cursor, `"xmin":`, `"xmin":99`, 1)}); p.Splits[0].ID != "range-00" {
		t.Errorf("another server's position: %+v", p)
	}
}

func TestFullReadIsOneSnapshot(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	postgrestest.Exec(t, dsn, `create table big (id int primary key, pad text, n int);
		insert into big select i, repeat('x', 900), 0 from generate_series(1, 20000) i`)
	st := stream(t, "", map[string]any{"table": "big", "columns": []any{"id", "n"}, "parallel": 3}, "id")
	src := source(t, dsn)
	plan, err := src.Plan(t.Context(), st, connectors.Prior{})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Splits) != 3 {
		t.Fatalf("%d ranges", len(plan.Splits))
	}
	token, err := src.(connectors.Session).Begin(t.Context(), st, plan)
	if err != nil || token == "" {
		t.Fatal(token, err)
	}
	c := &connectortest.Collector{T: t}
	for i, s := range plan.Splits {
		if err := src.Read(t.Context(), st, plan, s, c); err != nil {
			t.Fatal(err)
		}
		if i == 0 { // every row moves to the end of the table
			postgrestest.Exec(t, dsn, "update big set n = 1; delete from big where id % 2 = 0")
		}
	}
	seen := map[string]bool{}
	for _, r := range c.Rows {
		if seen[r["id"]] || r["n"] != "0" {
			t.Fatalf("row %v is torn", r)
		}
		seen[r["id"]] = true
	}
	if len(seen) != 20000 {
		t.Errorf("%d rows", len(seen))
	}
	// another source, as after a crash, has another session
	other := source(t, dsn)
	if again, err := other.(connectors.Session).Begin(t.Context(), st, plan); err != nil || again == token {
		t.Errorf("the token of another session is %q: %v", again, err)
	}
	// the readers' snapshot ends: the plan can go on with a new source only
	postgrestest.Exec(t, dsn, "select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction' and datname = current_database()")
	if err := src.Read(t.Context(), st, plan, plan.Splits[1], c); weir.CodeOf(err) != weir.Unavailable {
		t.Errorf("a lost snapshot gives %v", err)
	}
}

func TestServerEndsInTheMiddle(t *testing.T) {
	postgrestest.Start(t) // skips without PostgreSQL
	server := postgrestest.Own(t)
	dsn := server.Database(t)
	postgrestest.Exec(t, dsn, "create table big (id int, pad text); insert into big select i, repeat('x', 500) from generate_series(1, 60000) i")
	st := stream(t, "", map[string]any{"table": "big", "batch_rows": 1000}, "id")
	src := source(t, dsn)
	plan, err := src.Plan(t.Context(), st, connectors.Prior{})
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	c := &connectortest.Collector{T: t, OnWrite: func(connectors.Batch) error {
		if !stopped {
			stopped = true
			server.Stop()
		}
		return nil
	}}
	err = src.Read(t.Context(), st, plan, plan.Splits[0], c)
	if weir.CodeOf(err) != weir.Unavailable || strings.Contains(err.Error(), postgrestest.Password) {
		t.Errorf("got %v", err)
	}
	if err := src.Check(t.Context()); weir.CodeOf(err) != weir.Unavailable {
		t.Errorf("Check of a stopped server: %v", err)
	}
	server.Restart(t)
	again, _ := sync(t, dsn, st, connectors.Prior{})
	if len(again.Rows) != 60000 {
		t.Errorf("after the restart %d rows", len(again.Rows))
	}
}

func TestStatementTimeout(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	postgrestest.Exec(t, dsn, "create view slow as select 1 as id, pg_sleep(20)::text as x")
	src := openSource(t, map[string]any{"dsn": dsn, "statement_timeout": "50ms"})
	st := stream(t, "", map[string]any{"table": "slow"}, "id")
	plan, err := src.Plan(t.Context(), st, connectors.Prior{})
	if err != nil {
		t.Fatal(err)
	}
	err = src.Read(t.Context(), st, plan, plan.Splits[0], &connectortest.Collector{T: t})
	if weir.CodeOf(err) != weir.Unavailable || !strings.Contains(err.Error(), "raise statement_timeout") {
		t.Errorf("got %v", err)
	}
}
