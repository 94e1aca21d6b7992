package e2e

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
	"github.com/weir-cdp/weir/test/postgrestest"
)

// mostAway is how long a command may take to give up on a system that is away.
const mostAway = 9 * time.Minute

// TestStoreTakenAway: the object store goes away while stages run. Back in time, the
// run ends as an undisturbed one; away for good, it says so, and shows nothing half.
func TestStoreTakenAway(t *testing.T) {
	t.Parallel()
	calm := weirtest.Shop(t, "300")
	calm.Receive(t)
	calm.Run(t, weirtest.Partial, "--now", now)
	calm.Dev(t)
	for _, again := range []bool{true, false} {
		t.Run(fmt.Sprintf("back %v", again), func(t *testing.T) {
			t.Parallel()
			store := s3mem.New()
			if err := store.CreateBucket("customers"); err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(gofakes3.New(store).Server())
			t.Cleanup(server.Close)
			proxy := weirtest.NewProxy(t, strings.TrimPrefix(server.URL, "http://"))
			p := weirtest.Shop(t, "300")
			d := p.Receive(t)
			p.Write(t, "weir.yaml", regexp.MustCompile(`(?m)^lake: .*$`).ReplaceAllString(p.Read(t, "weir.yaml"),
				`lake: {endpoint: "http://`+proxy.Address+`", bucket: customers, region: eu-west-3, path_style: true, access_key: "$${env:KEY}", secret_key: "$${env:KEY}"}`))
			p.Env = []string{"KEY=key-of-the-lake"}

			run := p.Start(t, "run", "--verbose", "--now", now)
			run.Until(t, "stage that ended", func(_, errs string) bool { return strings.Count(errs, "part ended") >= 8 })
			cut := proxy.CutAfter(200_000)
			select {
			case <-cut:
			case <-time.After(2 * time.Minute):
				t.Fatal("the run did not come that far")
			}
			began := time.Now()
			if again {
				weirtest.Eventually(t, "it was tried again", func() bool { return proxy.Refused() >= 5 })
				proxy.Mend()
				if r := run.Wait(t, mostAway); r.Code != weirtest.Partial {
					t.Fatalf("the run ended with %d\n%s\n%s", r.Code, r.Stdout, r.Stderr)
				}
			} else {
				r := run.Wait(t, mostAway)
				t.Logf("given up after %v", time.Since(began).Round(time.Second))
				if r.Code != weirtest.Failed || !strings.Contains(r.Stdout+r.Stderr, proxy.Address) || !strings.Contains(r.Stdout+r.Stderr, "check that the object store runs") ||
					!strings.Contains(r.Stderr, "is tried again: ") {
					t.Errorf("the run ended with %d and says\n%s\n%s", r.Code, r.Stdout, r.Stderr)
				}
				proxy.Mend()
				nothingHalf(t, calm, p)
				if r := p.Weir(t, "run", "--now", now); r.Code != weirtest.Done && r.Code != weirtest.Partial { // what was quarantined may have been told by the first
					t.Errorf("the next run ended with %d\n%s\n%s", r.Code, r.Stdout, r.Stderr)
				}
			}
			weirtest.SameTables(t, calm, p, afterKills)
			weirtest.Delivered(t, p, d)
		})
	}
}

// nothingHalf checks that each table of a run that broke off is whole or empty.
func nothingHalf(t *testing.T, calm, p *weirtest.Project) {
	t.Helper()
	whole, got := calm.Fingerprints(t), p.Fingerprints(t)
	for name, digest := range got {
		if digest != whole[name] && !strings.HasPrefix(digest, "0 ") {
			t.Errorf("%s is neither whole nor empty", name)
		}
	}
}

// bigTable is a project on one table of so many rows.
func bigTable(t *testing.T, dsn string, rows int) *weirtest.Project {
	t.Helper()
	postgrestest.Exec(t, dsn, fmt.Sprintf(`create table people as select i as id, 'p' || i || '@example.org' as email, 'Name' || (i %% 97) as name, repeat(md5(i::text), 8) as note
		from generate_series(1, %d) i; alter table people add primary key (id)`, rows))
	return weirtest.New(t, map[string]string{
		"weir.yaml":     "name: big\ntimezone: UTC\ndefault_region: FR\ncurrency: EUR\nsubject:\n  jurisdiction: [consent.jurisdiction]\n",
		"identity.yaml": "person:\n  identifiers:\n    email: {limit: 5, shared_by: 10}\n  survivorship:\n    default: [latest]\n",
		"sources/db.yaml": "connector: postgres\nconfig: {dsn: \"${env:DSN}\"}\nstreams:\n  people:\n    table: public.people\n    sync: {mode: full}\n    key: [id]\n    as: person\n    map:\n" +
			"      identifiers: {email: email}\n      attributes: {given_name: name}\n",
	})
}

// through is a DSN that goes by way of a proxy.
func through(t *testing.T, dsn string) (string, *weirtest.Proxy) {
	t.Helper()
	m := regexp.MustCompile(`@([^/]+)/`).FindStringSubmatch(dsn)
	if m == nil {
		t.Fatalf("the server's address is not in %q", dsn)
	}
	proxy := weirtest.NewProxy(t, m[1])
	return strings.Replace(dsn, m[1], proxy.Address, 1), proxy
}

// TestSourceTakenAway: PostgreSQL goes away while a table is read.
func TestSourceTakenAway(t *testing.T) {
	t.Parallel()
	const rows = 20_000
	dsn := postgrestest.Start(t).Database(t)
	by, proxy := through(t, dsn)
	p := bigTable(t, dsn, rows)
	p.Env = []string{"DSN=" + by}
	counts := map[string]string{"rows": "select count(*) from raw.db__people", "ids": "select count(distinct id) from raw.db__people", "records": "select count(*) from core.records"}

	cut := proxy.CutAfter(1_000_000)
	began := time.Now()
	r := p.Must(t, weirtest.Failed, "run", "collect")
	select {
	case <-cut:
	default:
		t.Fatal("the server was never taken away")
	}
	t.Logf("given up after %v", time.Since(began).Round(time.Second))
	if said := r.Stdout + r.Stderr; !strings.Contains(said, proxy.Address) || !strings.Contains(said, "check") {
		t.Errorf("it says\n%s", said)
	}
	if n := p.Query(t, "select 1 as one from information_schema.tables where table_schema = 'raw' and table_name = 'db__people'"); len(n) > 0 {
		if got := p.Numbers(t, map[string]string{"rows": counts["rows"]}); got["rows"] != 0 {
			t.Errorf("%d of %d rows are visible", got["rows"], rows)
		}
	}

	proxy.Mend()
	cut = proxy.CutAfter(1_000_000)
	run := p.Start(t, "run")
	select {
	case <-cut:
	case <-time.After(2 * time.Minute):
		t.Fatal("the table was not read that far")
	}
	weirtest.Eventually(t, "it was tried again", func() bool { return proxy.Refused() >= 3 })
	proxy.Mend()
	if r := run.Wait(t, mostAway); r.Code != weirtest.Done {
		t.Fatalf("the run ended with %d\n%s\n%s", r.Code, r.Stdout, r.Stderr)
	}
	if got := p.Numbers(t, counts); got["rows"] != rows || got["ids"] != rows || got["records"] != rows {
		t.Errorf("there are %v, of %d", got, rows)
	}
}

// TestDestinationTakenAway: PostgreSQL goes away while rows are delivered to it.
// Back in time, all is delivered; else the person is told soon, and the next run
// delivers what is missing.
func TestDestinationTakenAway(t *testing.T) {
	t.Parallel()
	for _, again := range []bool{true, false} {
		t.Run(fmt.Sprintf("back %v", again), func(t *testing.T) {
			t.Parallel()
			dsn := postgrestest.Start(t).Database(t)
			postgrestest.Exec(t, dsn, "create table audience (email text primary key, first_name text, country text, ltv numeric, sequence bigint)")
			by, proxy := through(t, dsn)
			p := weirtest.Shop(t, "800")
			p.Env = []string{"CRM=" + by}
			p.Replace(t, "destinations/esp.yaml", "connector: webhook", "connector: postgres")
			p.Replace(t, "destinations/esp.yaml", `{url: "http://127.0.0.1:8787/newsletter", batch_rows: 100}`, `{dsn: "${env:CRM}", table: audience, key_column: email, sequence_column: sequence, batch_rows: 20}`)
			cut := proxy.CutAfter(20_000)
			began := time.Now()
			run := p.Start(t, "run", "--now", now)
			select {
			case <-cut:
			case <-time.After(2 * time.Minute):
				t.Fatal("nothing was delivered")
			}
			if again {
				weirtest.Eventually(t, "it was tried again", func() bool { return proxy.Refused() >= 2 })
				proxy.Mend()
			}
			r := run.Wait(t, mostAway)
			t.Logf("the run took %v, ended with %d", time.Since(began).Round(time.Second), r.Code)
			said := r.Stdout + r.Stderr
			if r.Code != weirtest.Partial || again == strings.Contains(said, proxy.Address) || again == strings.Contains(said, "the next run sends") {
				t.Errorf("the run ended with %d and says\n%s", r.Code, said)
			}
			if !again {
				proxy.Mend()
				p.Run(t, weirtest.Done, "--now", now)
			}
			want := map[string]bool{}
			for _, row := range p.Query(t, "select delivered_key from activation.state where activation = 'newsletter' and checksum <> ''") {
				want[row["delivered_key"].(string)] = true
			}
			if got := emails(t, dsn); len(want) < 40 || !maps.Equal(got, want) {
				t.Errorf("the table has %d people, %d are to be there", len(got), len(want))
			}
		})
	}
}

// emails are the keys that a destination's table holds.
func emails(t *testing.T, dsn string) map[string]bool {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), "select email from audience")
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, e := range all {
		out[e] = true
	}
	return out
}
