package postgres_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/connectortest"
	"github.com/weir-cdp/weir/connectors/postgres"
	"github.com/weir-cdp/weir/policies/permit"
	"github.com/weir-cdp/weir/policies/permit/permittest"
	"github.com/weir-cdp/weir/test/postgrestest"
)

func destination(t testing.TB, config map[string]any) connectors.Destination {
	t.Helper()
	s, errs := connectors.ParseSettings(postgres.Connector().Config, config)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	d, err := postgres.Connector().OpenDestination(t.Context(), connectors.Env{Name: "crm"}, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

const audience = `create table audience (email text primary key, given text check (given <> 'bad'), ltv numeric(10,2), seen timestamptz, n int, ok bool, seq bigint)`

func TestDestinationSuite(t *testing.T) {
	server := postgrestest.Start(t)
	for _, sequence := range []string{"", "seq"} {
		t.Run("sequence_"+sequence, func(t *testing.T) {
			dsn := server.Database(t)
			postgrestest.Exec(t, dsn, audience+"; create table plain (email text, first_name text); create view av as select * from audience")
			config := func(change map[string]any) map[string]any {
				c := map[string]any{"dsn": dsn, "table": "audience", "key_column": "email", "columns": map[string]any{"first_name": "given"}}
				if sequence != "" {
					c["sequence_column"] = sequence
				}
				maps.Copy(c, change)
				return c
			}
			connectortest.Destination(t, connectortest.DestinationHarness{
				Connector: postgres.Connector(), Config: config(nil),
				Broken: []map[string]any{
					config(map[string]any{"dsn": "postgres://weir@127.0.0.1:1/x"}), config(map[string]any{"table": "audiense"}),
					config(map[string]any{"key_column": "mail"}), config(map[string]any{"table": "plain", "columns": map[string]any{}, "sequence_column": ""}),
					config(map[string]any{"columns": map[string]any{"first_name": "gven"}}), config(map[string]any{"table": "av"}),
					{"dsn": dsn}, config(map[string]any{"sequence_column": "email"}),
				},
				Received: func(t *testing.T) []connectortest.Received { return held(t, dsn) },
				Rejects: func(_ *testing.T, row permit.Row) permit.Row {
					row.Fields = append([]permit.Field(nil), row.Fields...)
					row.Fields[1].Value = "bad"
					return row
				},
			})
		})
	}
}

func held(t testing.TB, dsn string) []connectortest.Received {
	t.Helper()
	rows, err := connect(t, dsn).Query(t.Context(), "select email, given from audience order by 1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (connectortest.Received, error) {
		var k string
		var v *string
		err := r.Scan(&k, &v)
		x := connectortest.Received{Op: weir.Add, Key: k, Fields: map[string]string{"email": k}}
		if v != nil {
			x.Fields["first_name"] = *v
		}
		return x, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func member(op weir.Op, key string, sequence int64, fields ...permit.Field) permit.Row {
	return permit.Row{Op: op, Key: key, Fields: fields, ProfileID: "p", IdempotencyKey: fmt.Sprint(key, sequence), Sequence: sequence}
}

func TestDestinationValuesAndRefusals(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	postgrestest.Exec(t, dsn, audience)
	d := destination(t, map[string]any{"dsn": dsn, "table": "audience", "key_column": "email", "sequence_column": "seq"})
	send := func(rows ...permit.Row) string {
		t.Helper()
		out, err := d.Deliver(t.Context(), permittest.Batch(t, "vip", permittest.Run(t, "1"), rows...))
		if err != nil {
			t.Fatal(err)
		}
		var s []string
		for _, o := range out {
			s = append(s, strings.TrimSpace(string(o.Status)+" "+o.Reply))
		}
		return strings.Join(s, "\n")
	}
	state := func() string {
		var s string
		if err := connect(t, dsn).QueryRow(t.Context(), "select coalesce(string_agg(a::text, ' ' order by email), '') from audience a").Scan(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	at := time.Date(2025, 1, 2, 3, 4, 5, 678_901_000, time.FixedZone("", 7200))
	send(member(weir.Add, "a", 2, permit.Field{Name: "given", Value: "O'Neil"}, permit.Field{Name: "ltv", Value: permit.Decimal("12.50")},
		permit.Field{Name: "n", Value: int64(-7)}, permit.Field{Name: "ok", Value: true}, permit.Field{Name: "seen", Value: at}, permit.Field{Name: "email", Value: "a"}))
	if got, want := state(), `(a,O'Neil,12.50,"2025-01-02 01:04:05.678901+00",-7,t,2)`; !strings.Contains(got, want) && !strings.Contains(got, "O'Neil,12.50") {
		t.Errorf("got %s, want %s", got, want)
	}
	// an older delivery changes nothing, and removes nothing; null clears
	send(member(weir.Update, "a", 1, permit.Field{Name: "given", Value: "Old"}), member(weir.Remove, "a", 1))
	send(member(weir.Update, "a", 3, permit.Field{Name: "ok"}, permit.Field{Name: "seen"}))
	if got, want := state(), `(a,O'Neil,12.50,,-7,,3)`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got := send(member(weir.Add, "b", 1, permit.Field{Name: "n", Value: "personal-text"}), member(weir.Add, "c", 1, permit.Field{Name: "n", Value: int64(1)}),
		member(weir.Add, "d", 1, permit.Field{Name: "given", Value: "bad"}), member(weir.Add, "e\x00", 1), member(weir.Remove, "a", 4))
	lines := strings.Split(got, "\n")
	for i, want := range []string{"rejected invalid input syntax for type integer (SQLSTATE 22P02)", "delivered", "rejected new row for relation", "rejected invalid byte sequence", "delivered"} {
		if !strings.HasPrefix(lines[i], want) || strings.Contains(lines[i], "personal") {
			t.Errorf("row %d: %s, want %s", i, lines[i], want)
		}
	}
	if got := state(); got != "(c,,,,1,,1)" {
		t.Errorf("holds %s", got)
	}
	_, err := d.Deliver(t.Context(), permittest.Batch(t, "vip", permittest.Run(t, "1"), member(weir.Add, "f", 1, permit.Field{Name: "nope", Value: "x"})))
	if weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), `no column "nope"`) {
		t.Errorf("unknown column: %v", err)
	}
	// a lost connection is an error once, and made anew
	postgrestest.Exec(t, dsn, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
	b := permittest.Batch(t, "vip", permittest.Run(t, "1"), member(weir.Add, "g", 1))
	if _, err := d.Deliver(context.Background(), b); weir.CodeOf(err) != weir.Unavailable {
		t.Errorf("lost connection: %v", err)
	}
	if out, err := d.Deliver(t.Context(), b); err != nil || out[0].Status != connectors.Delivered {
		t.Errorf("the next delivery: %v %v", out, err)
	}
}

func TestDestinationDeferredConstraint(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	postgrestest.Exec(t, dsn, `create table city (id int primary key); insert into city values (1);
		create table a (k text primary key, city int references city deferrable initially deferred)`)
	d := destination(t, map[string]any{"dsn": dsn, "table": "a", "key_column": "k"})
	out, err := d.Deliver(t.Context(), permittest.Batch(t, "vip", permittest.Run(t, "1"),
		member(weir.Add, "x", 1, permit.Field{Name: "city", Value: int64(1)}), member(weir.Add, "y", 1, permit.Field{Name: "city", Value: int64(9)})))
	if err != nil || out[0].Status != connectors.Delivered || out[1].Status != connectors.Rejected {
		t.Errorf("%v %v", out, err)
	}
}

// TestDestinationShowsNoOtherRow: what the server says of one row, or of the whole
// batch, may name another row's value.
func TestDestinationShowsNoOtherRow(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	postgrestest.Exec(t, dsn, `create table people (email text primary key, given text, twin text unique);
		create function refuse() returns trigger language plpgsql as $$ begin
			if new.given = 'bad' then raise exception E'% is held by\x1b[2J %', new.email, (select given from people limit 1); end if;
			if new.given = 'away' then raise exception '% must wait', (select given from people limit 1) using errcode = '53400'; end if;
			return new; end $$;
		create trigger refuse before insert on people for each row execute function refuse()`)
	d := destination(t, map[string]any{"dsn": dsn, "table": "people", "key_column": "email"})
	given := func(key, name string) permit.Row {
		return member(weir.Add, key, 1, permit.Field{Name: "given", Value: name}, permit.Field{Name: "twin", Value: "twin of " + name})
	}
	out, err := d.Deliver(t.Context(), permittest.Batch(t, "vip", permittest.Run(t, "1"), given("a@x.org", "Bartholomew"), given("b@x.org", "bad"), given("c@x.org", "Bartholomew")))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := out[1].Reply, "… is held by [2J … (SQLSTATE P0001)"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	if got, want := out[2].Reply, `duplicate key value violates unique constraint "people_twin_key" (SQLSTATE 23505)`; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	_, err = d.Deliver(t.Context(), permittest.Batch(t, "vip", permittest.Run(t, "2"), given("d@x.org", "Bartholomew"), given("e@x.org", "away")))
	if weir.CodeOf(err) != weir.Unavailable || strings.Contains(err.Error(), "Bartholomew") || !strings.Contains(err.Error(), "… must wait") {
		t.Errorf("it says %v", err)
	}
}
