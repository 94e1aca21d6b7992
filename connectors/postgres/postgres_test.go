package postgres_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/connectortest"
	"github.com/weir-cdp/weir/connectors/postgres"
	"github.com/weir-cdp/weir/test/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

func openSource(t testing.TB, config map[string]any) connectors.Source {
	t.Helper()
	s, errs := connectors.ParseSettings(postgres.Connector().Config, config)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	src, err := postgres.Connector().OpenSource(t.Context(), connectors.Env{Name: "crm"}, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	})
	return src
}

func source(t testing.TB, dsn string) connectors.Source {
	return openSource(t, map[string]any{"dsn": dsn})
}

// stream makes a stream of checked settings; an empty cursor is a full one.
func stream(t testing.TB, cursor string, raw map[string]any, key ...string) connectors.Stream {
	t.Helper()
	s, errs := connectors.ParseSettings(postgres.Connector().Stream, raw)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	st := connectors.Stream{Name: "s", Settings: s, Key: key, Cursor: cursor, Mode: "full"}
	if cursor != "" {
		st.Mode = "incremental"
	}
	return st
}

// sync plans and reads, with a source of its own.
func sync(t testing.TB, dsn string, st connectors.Stream, prior connectors.Prior) (*connectortest.Collector, connectors.Prior) {
	t.Helper()
	src := source(t, dsn)
	defer func() { _ = src.Close() }() // its snapshot keeps the table from being altered
	plan, err := src.Plan(t.Context(), st, prior)
	if err != nil {
		t.Fatal(err)
	}
	c := &connectortest.Collector{T: t}
	for _, s := range plan.Splits {
		if err := src.Read(t.Context(), st, plan, s, c); err != nil {
			t.Fatal(err)
		}
	}
	return c, connectortest.After(prior, plan)
}

const people = `create table people (id bigint primary key, email text, balance numeric(12,2), updated_at timestamptz);
insert into people select i, 'user' || i || '@x.org', i / 7.0, timestamptz '2024-01-01' + (i / 10) * interval '1 minute' from generate_series(1, 500) i`

func TestSourceSuite(t *testing.T) {
	server := postgrestest.Start(t)
	t.Run("full", func(t *testing.T) {
		dsn := server.Database(t)
		postgrestest.Exec(t, dsn, people)
		connectortest.Source(t, connectortest.SourceHarness{
			Connector: postgres.Connector(), Config: map[string]any{"dsn": dsn},
			Stream:         connectors.Stream{Name: "s", Key: []string{"id"}, Mode: "full"},
			StreamSettings: map[string]any{"table": "public.people", "batch_rows": 64},
			Rows:           500, AlwaysReads: true, Broken: broken(server, dsn),
			Change:      func(t *testing.T) { postgrestest.Exec(t, dsn, "delete from people where id <= 10") },
			ChangedRows: 490,
		})
	})
	t.Run("incremental", func(t *testing.T) {
		dsn := server.Database(t)
		postgrestest.Exec(t, dsn, people)
		connectortest.Source(t, connectortest.SourceHarness{
			Connector: postgres.Connector(), Config: map[string]any{"dsn": dsn},
			Stream:         connectors.Stream{Name: "s", Key: []string{"id"}, Mode: "incremental", Cursor: "updated_at"},
			StreamSettings: map[string]any{"table": "people", "batch_rows": 64},
			Rows:           500, Broken: broken(server, dsn),
			Change: func(t *testing.T) {
				postgrestest.Exec(t, dsn, "update people set updated_at = updated_at + interval '1 year' where id <= 10")
			},
			ChangedRows: 10,
		})
	})
}

func broken(s *postgrestest.Server, dsn string) []map[string]any {
	return []map[string]any{
		{"dsn": strings.Replace(dsn, postgrestest.Password, "wrong", 1)},
		{"dsn": strings.Replace(dsn, "/test_", "/no_", 1)},
		{"dsn": "postgres://weir:s3cret-of-tests@127.0.0.1:1/x"},
		{"dsn": "postgres://weir:s3cret-of-tests@nowhere.invalid/x"},
		{"dsn": "postgres://weir:s3cret-of-tests@127.0.0.1:port/x"},
		{"dsn": "s3cret-of-tests"},
		{"host": "127.0.0.1"},
		{"host": "127.0.0.1", "port": s.Port, "user": "weir", "database": "postgres", "password": "s3cret-of tests'"},
	}
}

func TestErrorsSayWhereAndHideThePassword(t *testing.T) {
	server := postgrestest.Start(t)
	dsn := server.Database(t)
	for i, config := range broken(server, dsn) {
		s, errs := connectors.ParseSettings(postgres.Connector().Config, config)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		src, err := postgres.Connector().OpenSource(t.Context(), connectors.Env{}, s)
		if err == nil {
			err = src.Check(t.Context())
			_ = src.Close()
		}
		if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "wrong") {
			t.Errorf("%d: %v", i, err)
		}
		if i < 4 && !strings.Contains(err.Error(), "postgres 127.0.0.1:") && !strings.Contains(err.Error(), "postgres nowhere.invalid:5432/x") {
			t.Errorf("%d does not name the server: %v", i, err)
		}
	}
}

func TestPlanExplainsWhatIsWrong(t *testing.T) {
	server := postgrestest.Start(t)
	dsn := server.Database(t)
	postgrestest.Exec(t, dsn, people+`; create table secret (id int, hidden text, ok text); create role reader_`+dsnName(dsn)+` login password 'pw';
		grant select (id, ok) on secret to reader_`+dsnName(dsn))
	reader := strings.Replace(dsn, "weir:"+postgrestest.Password, "reader_"+dsnName(dsn)+":pw", 1)
	cases := map[string]struct {
		dsn    string
		raw    map[string]any
		cursor string
		key    string
		types  map[string]string
		code   weir.Code
		want   string
	}{
		"no table":         {dsn, map[string]any{"table": "public.peple"}, "", "id", nil, weir.NotFound, "did you mean public.people?"},
		"no permission":    {reader, map[string]any{"table": "people"}, "", "id", nil, weir.Denied, "grant select on public.people to reader_"},
		"hidden column":    {reader, map[string]any{"table": "secret"}, "", "id", nil, weir.Denied, "column hidden may not be read"},
		"no column":        {dsn, map[string]any{"table": "people", "columns": []any{"id", "emial"}}, "", "id", nil, weir.Invalid, "did you mean email?"},
		"no key":           {dsn, map[string]any{"table": "people"}, "", "uid", nil, weir.Invalid, "did you mean id?"},
		"key left out":     {dsn, map[string]any{"table": "people", "columns": []any{"email"}}, "", "id", nil, weir.Invalid, "leaves out the key id"},
		"personal cursor":  {dsn, map[string]any{"table": "people"}, "email", "id", nil, weir.Invalid, "of type text can't be a cursor"},
		"no cursor column": {dsn, map[string]any{"table": "people"}, "updated", "id", nil, weir.Invalid, "there is no column"},
		"type":             {dsn, map[string]any{"table": "people"}, "", "id", map[string]string{"email": "int"}, weir.Invalid, "the table itself says the type"},
		"type of nothing":  {dsn, map[string]any{"table": "people"}, "", "id", map[string]string{"x": "text"}, weir.Invalid, "there is no column"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			st := stream(t, c.cursor, c.raw, c.key)
			st.Types = c.types
			_, err := source(t, c.dsn).Plan(t.Context(), st, connectors.Prior{})
			var e *weir.Error
			if !errors.As(err, &e) || e.Code != c.code || e.Next == "" || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v (%s), want %s", err, weir.CodeOf(err), c.want)
			}
		})
	}
	// what is granted can be read
	c, _ := sync(t, reader, stream(t, "", map[string]any{"table": "secret", "columns": []any{"id", "ok"}}, "id"), connectors.Prior{})
	if len(c.Rows) != 0 {
		t.Error(c.Rows)
	}
}

func dsnName(dsn string) string {
	_, name, _ := strings.Cut(dsn, "/test_")
	name, _, _ = strings.Cut(name, "?")
	return name
}

func TestDiscover(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	postgrestest.Exec(t, dsn, people+`; create view emails as select id, email from people; create table "Odd.Name" (b int, a uuid, primary key (a, b)); analyze`)
	found, err := source(t, dsn).Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range found {
		got = append(got, strings.Join([]string{d.Name, strings.Join(d.Key, ","), strings.Join(d.Cursors, ",")}, " "))
	}
	want := "public.Odd.Name a,b b,a\npublic.emails  id\npublic.people id id,balance,updated_at"
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
	if n := found[len(found)-1].Rows; n != 500 {
		t.Errorf("people has an estimate of %d rows", n)
	}
}
