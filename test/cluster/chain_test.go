package cluster

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir/test/clustertest"
	"github.com/weir-cdp/weir/test/e2e/weirtest"
	"github.com/weir-cdp/weir/test/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

// now is the shop's last moment, see examples/shop.
const now = "2026-06-30T18:00:00Z"

// cards is a source in PostgreSQL: who of the CRM has a loyalty card.
const cards = `connector: postgres
config: {dsn: "${env:CARDS}"}
streams:
  cards:
    table: public.cards
    sync: {mode: incremental, cursor: changed}
    key: [card]
    as: person
    map:
      identifiers: {crm_id: crm_id, card: card}
      attributes: {points: points}
      observed_at: changed
`

// withCards gives a shop the source, from the database.
func withCards(t *testing.T, dsn string, shops ...*weirtest.Project) {
	t.Helper()
	postgrestest.Exec(t, dsn, `create table cards as select 'K' || i as card, 'C' || lpad(i::text, 6, '0') as crm_id, i * 7 % 500 as points,
		timestamp with time zone '2026-06-01 08:00:00+00' + i * interval '1 minute' as changed from generate_series(1, 200, 3) i;
		alter table cards add primary key (card)`)
	for _, p := range shops {
		p.Write(t, "sources/loyalty.yaml", cards)
		p.Env = append(p.Env, "CARDS="+dsn)
	}
}

// TestShopOnACluster: four lines differ, and the tables are those of the embedded
// parts, to the row.
func TestShopOnACluster(t *testing.T) {
	c := clustertest.Start(t)
	embedded, p := weirtest.Shop(t, "300"), weirtest.Shop(t, "300")
	withCards(t, postgrestest.Start(t).Database(t), embedded, p)
	embedded.Receive(t)
	d := p.Receive(t)
	embedded.Run(t, weirtest.Partial, "--now", now)
	embedded.Dev(t)

	c.Use(t, p)
	p.Run(t, weirtest.Partial, "--now", now)
	weirtest.SameTables(t, embedded, p)
	weirtest.Delivered(t, p, d)
	if n := p.Numbers(t, map[string]string{"cards": "select count(*) from core.records where source = 'loyalty'"}); n["cards"] != 67 {
		t.Errorf("%d cards are in the lake", n["cards"])
	}
	sent := d.State().Requests
	for _, part := range p.Run(t, weirtest.Done, "--now", now).Parts {
		if part.Outcome != "unchanged" {
			t.Errorf("in the second run %s %s is %s", part.Stage, part.Part, part.Outcome)
		}
	}
	if got := d.State().Requests; got != sent {
		t.Errorf("the second run sent %d requests", got-sent)
	}
	for _, ask := range [][]string{{"segment", "count", "--json", "vip", "readers", "lapsed_vip"}, {"segment", "overlap", "--json", "vip", "readers"}, {"segment", "count", "--live", "--json", "vip", "--now", now}} {
		if want, got := embedded.Must(t, weirtest.Done, ask...).Stdout, p.Must(t, weirtest.Done, ask...).Stdout; cmp.Diff(want, got) != "" {
			t.Errorf("weir %s (-embedded +cluster)\n%s", strings.Join(ask, " "), cmp.Diff(want, got))
		}
	}
	below(t, c.Store)
	asOf(t, p)
	beside(t, c, p)
}

// below checks that all objects lie below the workspace's prefix.
func below(t *testing.T, store *clustertest.MinIO) {
	t.Helper()
	keys := store.Objects(t, clustertest.Bucket, "")
	for _, key := range keys {
		if !strings.HasPrefix(key, clustertest.Prefix+"/shop/") {
			t.Errorf("an object lies outside the workspace: %s", key)
		}
	}
	if len(keys) < 100 {
		t.Errorf("the bucket has %d objects only", len(keys))
	}
}

// asOf asks for the tables as they were, after a change and after maintenance.
func asOf(t *testing.T, p *weirtest.Project) {
	t.Helper()
	before := p.Numbers(t, map[string]string{"n": "select count(*) from core.profiles"})
	then := time.Now().UTC().Format(time.RFC3339Nano)
	lines := strings.SplitAfter(p.Read(t, "data/crm.csv"), "\n")
	fields := strings.Split(lines[1], ";")
	fields[1], fields[10] = "Changed", "2026-06-30 17:00:00\r\n"
	lines[1] = strings.Join(fields, ";")
	p.Write(t, "data/crm.csv", strings.Join(lines, ""))
	later := time.Date(2026, 6, 30, 19, 0, 0, 0, time.UTC)
	if err := os.Chtimes(p.Path("data/crm.csv"), later, later); err != nil {
		t.Fatal(err)
	}
	p.Must(t, weirtest.Done, "run", "--now", later.Format(time.RFC3339))
	p.Must(t, weirtest.Done, "maintain")
	old := p.Must(t, weirtest.Done, "query", "--json", "--as-of", then, "select count(*)::int as n from core.profiles").Stdout
	if want := fmt.Sprint(before["n"]); !strings.Contains(old, want) {
		t.Errorf("as of %s there are %s profiles, not %s", then, old, want)
	}
	changed := "select count(*)::int as n from raw.crm__contacts where first_name = 'Changed'"
	if r := p.Query(t, changed); fmt.Sprint(r[0]["n"]) != "1" {
		t.Errorf("now there are %v with the new name, not one", r[0]["n"])
	}
	if old := p.Must(t, weirtest.Done, "query", "--json", "--as-of", then, changed).Stdout; !strings.Contains(old, `"n": 0`) && !strings.Contains(old, `"n":0`) {
		t.Errorf("as of before there is the new name: %s", old)
	}
}

// beside runs another workspace in the same bucket and catalog: neither sees the
// other's tables.
func beside(t *testing.T, c *clustertest.Cluster, shop *weirtest.Project) {
	t.Helper()
	was := shop.Fingerprints(t)
	other := weirtest.New(t, map[string]string{
		"weir.yaml":         "name: other\nsubject:\n  jurisdiction: [consent.jurisdiction]\n",
		"data/people.csv":   "id,email\n1,a@example.org\n2,b@example.org\n",
		"sources/file.yaml": "connector: files\nconfig: {path: data}\nstreams:\n  people:\n    path: people.csv\n    key: [id]\n    as: person\n    map:\n      identifiers: {email: email}\n",
	})
	c.Use(t, other)
	other.Run(t, weirtest.Done, "--now", now)
	if n := other.Numbers(t, map[string]string{"n": "select count(*) from core.profiles"}); n["n"] != 2 {
		t.Errorf("the other workspace has %d profiles", n["n"])
	}
	if diff := cmp.Diff(was, shop.Fingerprints(t)); diff != "" {
		t.Errorf("the shop has other tables now:\n%s", diff)
	}
	for _, name := range slices.Sorted(maps.Keys(other.Fingerprints(t))) {
		if strings.HasPrefix(name, "raw.crm") {
			t.Errorf("the other workspace sees %s", name)
		}
	}
}
