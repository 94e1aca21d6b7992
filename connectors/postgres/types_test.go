package postgres_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/connectortest"
	"github.com/weir-cdp/weir/test/postgrestest"
)

func TestTypesAreExact(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	postgrestest.Exec(t, dsn, `create type mood as enum ('sad', 'ok'); create domain money_eur as numeric(8,2); create domain cents as money_eur check (value > 0);
		create type pair as (a int, b text)`)
	cases := []struct {
		typ, value string // SQL
		want       string // as Arrow prints it; "∅": null
		arrow      string
		reason     string // of a rejection
	}{
		{"bool", "true", "true", "bool", ""},
		{"int2", "-32768", "-32768", "int32", ""},
		{"int4", "2147483647", "2147483647", "int32", ""},
		{"int8", "-9223372036854775808", "-9223372036854775808", "int64", ""},
		{"oid", "4294967295", "4294967295", "int64", ""},
		{"float4", "0.1", "0.1", "float64", ""},
		{"float4", "'-infinity'", "-Inf", "float64", ""},
		{"float8", "1e308", "1e+308", "float64", ""},
		{"float8", "'NaN'", "NaN", "float64", ""},
		{"float8", "'infinity'", "+Inf", "float64", ""},
		{"numeric(12,2)", "-1234567890.10", "-1234567890.1", "decimal(12, 2)", ""},
		{"numeric(12,2)", "0.01", "0.01", "decimal(12, 2)", ""},
		{"numeric(12,2)", "'NaN'", "∅", "decimal(12, 2)", "not a finite number"},
		{"numeric(38,10)", "1234567890123456789012345678.0123456789", "1234567890123456789012345678.0123456789", "decimal(38, 10)", ""},
		{"numeric(38,0)", "99999999999999999999999999999999999999", "99999999999999999999999999999999999999", "decimal(38, 0)", ""},
		{"numeric(5)", "-99999", "-99999", "decimal(5, 0)", ""},
		{"numeric", "1.500000000000000000000000000000000000000000001", "1.500000000000000000000000000000000000000000001", "utf8", ""},
		{"numeric", "'Infinity'", "Infinity", "utf8", ""},
		{"numeric(60,2)", "123456789012345678901234567890123456789012345.67", "123456789012345678901234567890123456789012345.67", "utf8", ""},
		{"numeric(5,-2)", "1234500", "1234500", "utf8", ""},
		{"money_eur", "12.30", "12.3", "decimal(8, 2)", ""},
		{"cents", "12.30", "12.3", "decimal(8, 2)", ""},
		{"text", `E'a\t"é\n'`, "a\t\"é\n", "utf8", ""},
		{"varchar(5)", "''", "", "utf8", ""},
		{"char(5)", "'ab'", "ab", "utf8", ""},
		{`"char"`, "'x'", "x", "utf8", ""},
		{"name", "'n'", "n", "utf8", ""},
		{"mood", "'ok'", "ok", "utf8", ""},
		{"uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "utf8", ""},
		{"bytea", `'\x00ff10'`, "AP8Q", "binary", ""},
		{"json", `'{"b":1, "a" :2}'`, `{"b":1, "a" :2}`, "utf8", ""},
		{"jsonb", `'{"b":1.10, "a" :2}'`, `{"a": 2, "b": 1.10}`, "utf8", ""},
		{"date", "'2024-02-29'", "2024-02-29", "date32", ""},
		{"date", "'0001-01-01'", "0001-01-01", "date32", ""},
		{"date", "'9999-12-31'", "9999-12-31", "date32", ""},
		{"date", "'10000-01-01'", "∅", "date32", "the year is not between 1 and 9999"},
		{"date", "'0044-03-15 BC'", "∅", "date32", "the year is not between 1 and 9999"},
		{"date", "'infinity'", "∅", "date32", "an infinite date"},
		{"timestamp", "'1999-12-31 23:59:59.999999'", "1999-12-31T23:59:59.999999", "timestamp[us]", ""},
		{"timestamp", "'9999-12-31 23:59:59.999999'", "9999-12-31T23:59:59.999999", "timestamp[us]", ""},
		{"timestamp", "'10000-01-01'", "∅", "timestamp[us]", "the year is not between 1 and 9999"},
		{"timestamp", "'-infinity'", "∅", "timestamp[us]", "an infinite time"},
		{"timestamptz", "'2024-03-31 03:30:00+02'", "2024-03-31T01:30:00Z", "timestamp[us, tz=UTC]", ""},
		{"timestamptz", "'infinity'", "∅", "timestamp[us, tz=UTC]", "an infinite time"},
		{"time", "'24:00:00'", "24:00:00", "utf8", ""},
		{"timetz", "'04:05:06.789-08'", "04:05:06.789-08", "utf8", ""},
		{"interval", "'1 year -2 days 3 hours'", "1 year -2 days +03:00:00", "utf8", ""},
		{"inet", "'192.168.1.0/24'", "192.168.1.0/24", "utf8", ""},
		{"macaddr", "'08:00:2b:01:02:03'", "08:00:2b:01:02:03", "utf8", ""},
		{"int4range", "'[1,5]'", "[1,6)", "utf8", ""},
		{"pair", "(1,'x y')", `(1,"x y")`, "utf8", ""},
		{"point", "'(1,2.5)'", "(1,2.5)", "utf8", ""},
		{"bit(3)", "B'101'", "101", "utf8", ""},
		{"xml", "'<a>1</a>'", "<a>1</a>", "utf8", ""},
		{"tsvector", "'b a'", "'a' 'b'", "utf8", ""},
		{"int[]", "'{{1,2},{3,null}}'", "[[1,2],[3,null]]", "utf8", ""},
		{"text[]", `'{"a,\"b",NULL,""}'`, `["a,\"b",null,""]`, "utf8", ""},
		{"numeric[]", "'{1.10,NaN}'", `[1.10,"NaN"]`, "utf8", ""},
		{"mood[]", "'{ok}'", `["ok"]`, "utf8", ""},
		{"jsonb[]", `array['{"a":1}'::jsonb]`, `[{"a": 1}]`, "utf8", ""},
		{"int[]", "'{}'", "[]", "utf8", ""},
	}
	var columns, values []string
	want := connectortest.Row{}
	for i, c := range cases {
		columns = append(columns, fmt.Sprintf("c%02d %s", i, c.typ))
		values = append(values, c.value)
		if c.want != "∅" {
			want[fmt.Sprintf("c%02d", i)] = c.want
		}
	}
	postgrestest.Exec(t, dsn, "create table t (id int, "+strings.Join(columns, ", ")+"); insert into t (id) values (1)")
	postgrestest.Exec(t, dsn, "insert into t values (2, "+strings.Join(values, ", ")+")")
	c, _ := sync(t, dsn, stream(t, "", map[string]any{"table": "t"}, "id"), connectors.Prior{})
	if len(c.Rows) != 2 || len(c.Rows[0]) != 1 {
		t.Fatalf("rows: %v", c.Rows)
	}
	got := c.Rows[1]
	delete(got, "id")
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	rejected := map[string]string{}
	for _, r := range c.Rejected {
		rejected[r.Field] = r.Reason
		if r.Withheld || r.Origin != "public.t/range-00#1" {
			t.Errorf("rejection %+v", r)
		}
	}
	for i, k := range cases {
		name := fmt.Sprintf("c%02d", i)
		f, _ := c.Schemas[0].FieldsByName(name)
		if f[0].Type.String() != k.arrow {
			t.Errorf("%s is %s, want %s", k.typ, f[0].Type, k.arrow)
		}
		if rejected[name] != k.reason {
			t.Errorf("%s of %s: rejected %q, want %q", k.value, k.typ, rejected[name], k.reason)
		}
	}
}

func TestDeclaredTypes(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	postgrestest.Exec(t, dsn, `create table t (id int, n numeric, d date); insert into t values (1, 1.25, '2024-01-02'), (2, 1.255, null), (3, 12345678.9, null), (4, 1e20, null), (5, 0, null), (6, 1.2e-30, null)`)
	st := stream(t, "", map[string]any{"table": "t"}, "id")
	st.Types = map[string]string{"n": "decimal(8,2)", "d": "text"}
	c, _ := sync(t, dsn, st, connectors.Prior{})
	var got []string
	for _, r := range c.Rows {
		got = append(got, r.String())
	}
	want := "d=\"2024-01-02\" id=\"1\" n=\"1.25\"\nid=\"2\"\nid=\"3\"\nid=\"4\"\nid=\"5\" n=\"0\"\nid=\"6\""
	if s := strings.Join(got, "\n"); s != want || len(c.Rejected) != 4 {
		t.Errorf("got\n%s\nrejected %+v", s, c.Rejected)
	}
}

func TestSchemaDrift(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	postgrestest.Exec(t, dsn, "create table t (id int, a int, b text); insert into t values (1, 2, 'x')")
	st := stream(t, "", map[string]any{"table": "t"}, "id")
	_, prior := sync(t, dsn, st, connectors.Prior{})
	postgrestest.Exec(t, dsn, "alter table t alter a type bigint, drop b, add c date default '2024-01-01'")
	c, _ := sync(t, dsn, st, prior)
	if got := c.Schemas[0].String(); !strings.Contains(got, "a: type=int64") || !strings.Contains(got, "c: type=date32") || strings.Contains(got, "b: ") {
		t.Error(got)
	}
	if got := c.Rows[0].String(); got != `a="2" c="2024-01-01" id="1"` {
		t.Error(got)
	}
}

func TestColumnGoneAfterPlanning(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	postgrestest.Exec(t, dsn, "create table t (id int, a int)")
	st, src := stream(t, "", map[string]any{"table": "t", "columns": []any{"id", "a"}}, "id"), source(t, dsn)
	plan, err := src.Plan(t.Context(), st, connectors.Prior{})
	if err != nil {
		t.Fatal(err)
	}
	postgrestest.Exec(t, dsn, "alter table t drop a")
	err = src.Read(t.Context(), st, plan, plan.Splits[0], &connectortest.Collector{T: t})
	if weir.CodeOf(err) != weir.Conflict || !strings.Contains(err.Error(), `no column "a"`) {
		t.Errorf("got %v (%s)", err, weir.CodeOf(err))
	}
}

func TestOtherEncodings(t *testing.T) {
	server := postgrestest.Start(t)
	for encoding, want := range map[string]string{"LATIN1": `id="1" v="Noël"`, "SQL_ASCII": `id="1"`} {
		name := "enc_" + strings.ToLower(encoding)
		postgrestest.Exec(t, server.DSN("postgres"), "create database "+name+" encoding '"+encoding+"' template template0 locale 'C'")
		dsn := server.DSN(name)
		postgrestest.Exec(t, dsn, `create table t as select 1 as id, E'No\353l' as v`)
		c, _ := sync(t, dsn, stream(t, "", map[string]any{"table": "t"}, "id"), connectors.Prior{})
		if got := c.Rows[0].String(); got != want || (encoding == "SQL_ASCII") != (len(c.Rejected) == 1) {
			t.Errorf("%s: %s, rejected %+v", encoding, got, c.Rejected)
		}
	}
}

// TestRandomTables compares what is read with what PostgreSQL itself writes.
func TestRandomTables(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	rnd := rand.New(rand.NewPCG(7, 11))
	for round := range 6 {
		p := 1 + rnd.IntN(38)
		s := rnd.IntN(p + 1)
		table := fmt.Sprintf("r%d", round)
		postgrestest.Exec(t, dsn, fmt.Sprintf(`create table %s (id int primary key, n numeric(%d,%d), u numeric, i int8, s int2, f float8, x text, b bytea, z timestamptz, d date, g uuid, a text[], j jsonb, o bool)`, table, p, s))
		conn := connect(t, dsn)
		want := map[string]connectortest.Row{}
		for id := range 200 {
			row := []any{id}
			n := new(big.Int)
			for range 1 + rnd.IntN(p) {
				n.Add(n.Mul(n, big.NewInt(10)), big.NewInt(int64(rnd.IntN(10))))
			}
			text := fmt.Sprintf("%0*s", s+1, n.String())
			if text = text[:len(text)-s] + "." + text[len(text)-s:]; rnd.IntN(2) == 0 {
				text = "-" + text
			}
			row = append(row, text, text, rnd.Int64(), int16(rnd.IntN(65536)-32768), rnd.NormFloat64()*1e10,
				words(rnd), []byte(words(rnd)), rnd.Int64N(4e9), rnd.IntN(100000), fmt.Sprintf("%032x", rnd.Uint64()), []string{words(rnd), words(rnd)}, words(rnd), rnd.IntN(2) == 0)
			for i := 1; i < len(row); i++ {
				if rnd.IntN(6) == 0 {
					row[i] = nil
				}
			}
			exec(t, conn, "insert into "+table+` values ($1, $2::text::numeric, $3::text::numeric, $4, $5, $6, $7, $8, to_timestamp($9::int8), date '1900-01-01' + $10::int, $11::text::uuid, $12, to_jsonb($13::text), $14)`, row...)
		}
		rows, err := conn.Query(t.Context(), `select id::text, trim_scale(n)::text, u::text, i::text, s::text, f::text, x, encode(b, 'base64'), z::text, d::text, g::text, array_to_json(a)::text, j::text, o::text from `+table)
		if err != nil {
			t.Fatal(err)
		}
		names := []string{"id", "n", "u", "i", "s", "f", "x", "b", "z", "d", "g", "a", "j", "o"}
		for rows.Next() {
			vals := make([]*string, len(names))
			dest := make([]any, len(names))
			for i := range vals {
				dest[i] = &vals[i]
			}
			if err := rows.Scan(dest...); err != nil {
				t.Fatal(err)
			}
			r := connectortest.Row{}
			for i, v := range vals {
				if v != nil {
					r[names[i]] = *v
				}
			}
			want[r["id"]] = r
		}
		c, _ := sync(t, dsn, stream(t, "", map[string]any{"table": table, "batch_rows": 37}, "id"), connectors.Prior{})
		if len(c.Rows) != len(want) || len(c.Rejected) > 0 {
			t.Fatalf("%d rows, %d rejected", len(c.Rows), len(c.Rejected))
		}
		for _, r := range c.Rows {
			w := want[r["id"]]
			for _, n := range names {
				if got := spelling(n, r[n]); got != spelling(n, w[n]) {
					t.Errorf("numeric(%d,%d) round %d, row %s, column %s: %q, want %q", p, s, round, r["id"], n, got, w[n])
				}
			}
		}
	}
}

// spelling removes how Arrow and PostgreSQL print the same value differently.
func spelling(column, v string) string {
	switch column {
	case "z":
		return strings.NewReplacer("Z", "", "+00", "", "T", " ").Replace(v)
	case "b":
		return strings.ReplaceAll(v, "\n", "")
	case "n":
		if r, ok := new(big.Rat).SetString(v); ok {
			return r.RatString()
		}
	case "f":
		if f, _, err := big.ParseFloat(v, 10, 60, big.ToNearestEven); err == nil {
			return f.Text('g', 17)
		}
	}
	return v
}

func words(rnd *rand.Rand) string {
	letters := []rune("abc \t\n\"'\\,{}é漢😀\u007f")
	out := make([]rune, rnd.IntN(12))
	for i := range out {
		out[i] = letters[rnd.IntN(len(letters))]
	}
	return string(out)
}

func TestNorthwind(t *testing.T) {
	data := os.Getenv("WEIR_TEST_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	sql, err := os.ReadFile(filepath.Join(data, "crm_northwind", "northwind.sql"))
	if err != nil {
		t.Skip("the Northwind data is not beside the repository; set WEIR_TEST_DATA")
	}
	dsn := postgrestest.Start(t).Database(t)
	postgrestest.Exec(t, dsn, string(sql))
	found, err := source(t, dsn).Discover(t.Context())
	if err != nil || len(found) != 14 {
		t.Fatalf("%d tables: %v", len(found), err)
	}
	got := map[string]int{}
	for _, d := range found {
		c, _ := sync(t, dsn, stream(t, "", map[string]any{"table": d.Name}, d.Key...), connectors.Prior{})
		got[d.Name] = len(c.Rows)
		if len(c.Rejected) > 0 || len(d.Key) == 0 {
			t.Errorf("%s: key %v, rejected %v", d.Name, d.Key, c.Rejected)
		}
		var n int
		if err := connect(t, dsn).QueryRow(t.Context(), "select count(*) from "+d.Name).Scan(&n); err != nil || n != len(c.Rows) {
			t.Errorf("%s has %d rows, read %d: %v", d.Name, n, len(c.Rows), err)
		}
	}
	if got["public.orders"] != 830 || got["public.customers"] != 91 || got["public.order_details"] != 2155 {
		t.Errorf("rows: %v", got)
	}
}
