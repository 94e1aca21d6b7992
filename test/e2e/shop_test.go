package e2e

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// now is the shop's last moment, see examples/shop.
const now = "2026-06-30T18:00:00Z"

func TestShop(t *testing.T) {
	t.Parallel()
	p := weirtest.Shop(t, "800")
	d := p.Receive(t)
	p.Write(t, "traits/basket.yaml", documented(t, "../../docs/segments.md", "traits/basket.yaml"))
	first := p.Run(t, weirtest.Partial, "--now", now)
	if n := p.Numbers(t, map[string]string{"basket": "select count(*) from core.traits where trait = 'basket_items'"}); n["basket"] == 0 {
		t.Error("the query that the docs show gives nobody a value")
	}
	for _, part := range first.Parts {
		if part.Outcome != "done" && (part.Stage != "conform" || part.Outcome != "partial") {
			t.Errorf("%s %s is %s: %s", part.Stage, part.Part, part.Outcome, part.Error)
		}
	}
	reconcileTables(t, p)
	matching(t, p)
	p.Dev(t) // what follows uses the platform that runs
	reconcileDeliveries(t, p, d)
	sent := d.State()
	if sent.Adds == 0 || sent.Updates+sent.Removes+sent.Duplicates != 0 {
		t.Fatalf("the first delivery is not adds alone: %d, %d updates, %d removals, %d duplicates", sent.Adds, sent.Updates, sent.Removes, sent.Duplicates)
	}

	again := p.Run(t, weirtest.Done, "--now", now)
	for _, part := range again.Parts {
		if part.Outcome != "unchanged" {
			t.Errorf("in the second run %s %s is %s", part.Stage, part.Part, part.Outcome)
		}
	}
	if got := d.State(); got.Requests != sent.Requests {
		t.Errorf("the second run sent %d requests", got.Requests-sent.Requests)
	}
	change(t, p, d)
}

// reconcileTables checks that no row is lost between two stages.
func reconcileTables(t *testing.T, p *weirtest.Project) {
	t.Helper()
	withheld := func(source, stream string) string {
		return fmt.Sprintf("(select count(*) from ops.quarantine where withheld and stage = 'conform' and source = '%s' and stream = '%s')", source, stream)
	}
	sql := map[string]string{
		"links":      "select count(*) from identity.links",
		"persons":    "select count(*) from core.records where kind = 'person'",
		"linked":     "select count(distinct profile_id) from identity.links",
		"profiles":   "select count(*) from core.profiles",
		"known":      "select count(*) from core.profiles where kind = 'person'",
		"anonymous":  "select count(*) from core.profiles where kind = 'anonymous'",
		"astray":     "select count(*) from identity.links where profile_id not in (select profile_id from core.profiles)",
		"of_records": "select sum(records) from core.profiles",
		"members":    "select count(*) from segment.memberships m left join core.profiles p using (profile_id) where p.profile_id is null",
	}
	for _, s := range []struct{ source, stream, raw, core string }{
		{"crm", "contacts", "true", "core.records"},
		{"shop", "customers", "true", "core.records"},
		{"web", "logins", "type = 'identify'", "core.records"},
		{"shop", "orders", "true", "core.events"},
		{"web", "events", "type = 'track'", "core.events"},
		{"newsletter", "optins", "true", "core.consents"},
	} {
		sql["raw "+s.source+"/"+s.stream] = fmt.Sprintf("select count(*) from raw.%s__%s where %s", s.source, s.stream, s.raw)
		sql["core "+s.source+"/"+s.stream] = fmt.Sprintf("(select count(*) from %s where source = '%s' and stream = '%s') + %s", s.core, s.source, s.stream, withheld(s.source, s.stream))
	}
	n := p.Numbers(t, sql)
	t.Log(n)
	same := func(a, b string) {
		if n[a] != n[b] {
			t.Errorf("%s are %d, %s are %d", a, n[a], b, n[b])
		}
	}
	for name := range n {
		if s, ok := strings.CutPrefix(name, "raw "); ok {
			same(name, "core "+s)
		}
	}
	same("links", "persons")
	same("linked", "known")
	same("of_records", "links")
	if n["profiles"] != n["known"]+n["anonymous"] || n["anonymous"] == 0 || n["astray"]+n["members"] != 0 {
		t.Errorf("the profiles do not add up: %v", n)
	}
}

// matching compares who is who with the truth, by pairs of records.
func matching(t *testing.T, p *weirtest.Project) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(p.Read(t, "truth.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	truth := map[string]string{}
	for _, row := range rows[1:] {
		truth[row[0]] = row[1]
	}
	precision, recall := pairs(t, p, truth)
	t.Logf("pairs: precision %.4f, recall %.4f", precision, recall)
	if precision < 0.98 || recall < 0.8 {
		t.Errorf("precision %.4f is below 0.98, or recall %.4f below 0.8", precision, recall)
	}
}

// pairs are the precision and recall of the pairs of records in one profile.
func pairs(t *testing.T, p *weirtest.Project, truth map[string]string) (precision, recall float64) {
	t.Helper()
	profiles, people, both := map[string]int{}, map[string]int{}, map[[2]string]int{}
	for _, row := range p.Query(t, "select record_id, profile_id from identity.links") {
		person, ok := truth[row["record_id"].(string)]
		if !ok {
			continue // not all records are of the truth
		}
		profile := row["profile_id"].(string)
		profiles[profile]++
		people[person]++
		both[[2]string{profile, person}]++
	}
	sum := func(n int) float64 { return float64(n*(n-1)) / 2 }
	var found, want, right float64
	for _, n := range profiles {
		found += sum(n)
	}
	for _, n := range people {
		want += sum(n)
	}
	for _, n := range both {
		right += sum(n)
	}
	if found == 0 || want == 0 {
		t.Fatal("nothing was matched, or nothing is to be")
	}
	return right / found, right / want
}

// reconcileDeliveries checks that what was sent was allowed before, and that state,
// audience and destination agree.
func reconcileDeliveries(t *testing.T, p *weirtest.Project, d *weirtest.Destination) {
	t.Helper()
	n := p.Numbers(t, map[string]string{
		"deliveries": "select count(*) from activation.deliveries",
		"forbidden": `select count(*) from activation.deliveries d left join consent.decisions c using (decision_id)
			where d.op <> 'remove' and (c.allow is distinct from true or c.at > d.at or c.profile_id <> d.profile_id or c.activation <> d.activation)`,
		"not_held": `select count(*) from activation.audience a left join activation.state s
			on s.activation = a.activation and s.profile_id = a.profile_id and s.delivered_key = a.delivered_key and s.checksum = a.checksum where s.checksum is null`,
		"held_too_long": `select count(*) from activation.state s left join activation.audience a
			on s.activation = a.activation and s.profile_id = a.profile_id and s.delivered_key = a.delivered_key where a.checksum is null`,
		"twice":   `select count(*) from (select activation, profile_id, delivered_key, sequence from activation.deliveries where status = 'delivered' group by all having count(*) > 1)`,
		"letters": "select count(*) from activation.state where activation = 'vip_letter'",
	})
	if n["deliveries"] == 0 || n["forbidden"]+n["not_held"]+n["held_too_long"]+n["twice"] != 0 {
		t.Errorf("deliveries do not reconcile: %v", n)
	}
	held := map[string]bool{}
	for _, row := range p.Query(t, "select delivered_key from activation.state where activation = 'newsletter'") {
		held[row["delivered_key"].(string)] = true
	}
	got := map[string]bool{}
	for key := range d.State().Activations["newsletter"] {
		got[key] = true
	}
	if diff := cmp.Diff(held, got); diff != "" {
		t.Errorf("the destination does not hold what activation.state says (-state +destination)\n%s", diff)
	}
}

// change does the three things that the demo does.
func change(t *testing.T, p *weirtest.Project, d *weirtest.Destination) {
	t.Helper()
	before := d.State()
	known := `with own as (select l.profile_id, count(*) as n, count(*) filter (where r.source = 'crm') as crm, min(l.record_id) filter (where r.source = 'crm') as record_id
		from identity.links l join core.records r using (record_id) group by 1) `
	renamed := p.Query(t, known+`select record_id, a.delivered_key from own join activation.audience a using (profile_id) join activation.audience b using (profile_id)
		where crm = 1 and n = 2 and a.activation = 'newsletter' and b.activation = 'vip_letter' order by 1 limit 1`)
	if len(renamed) == 0 {
		t.Fatal("nobody gets both the newsletter and the letter")
	}
	id := strings.TrimPrefix(renamed[0]["record_id"].(string), "crm/contacts/")
	editCRM(t, p, id, 1, "Zebulon")
	p.Run(t, weirtest.Done, "--now", now)
	after := d.State()
	counts := func(s string, adds, updates, removes int) {
		t.Helper()
		got := fmt.Sprintf("%d adds, %d updates, %d removals", after.Adds-before.Adds, after.Updates-before.Updates, after.Removes-before.Removes)
		if want := fmt.Sprintf("%d adds, %d updates, %d removals", adds, updates, removes); got != want {
			t.Errorf("%s: %s, not %s", s, got, want)
		}
	}
	counts("a first name changed", 0, 1, 0)
	if got := after.Activations["newsletter"][renamed[0]["delivered_key"].(string)]["first_name"]; got != "Zebulon" {
		t.Errorf("the destination holds the first name %v", got)
	}
	if n := p.Numbers(t, map[string]string{"n": "select count(*) from activation.deliveries where op = 'update' and activation = 'vip_letter'"}); n["n"] != 1 {
		t.Errorf("the letter got %d updates", n["n"])
	}

	before = after
	gone := p.Query(t, `select delivered_key from activation.audience where activation = 'newsletter' and delivered_key <> '`+renamed[0]["delivered_key"].(string)+`'
		and profile_id not in (select profile_id from activation.audience where activation = 'vip_letter') order by 1 limit 1`)[0]["delivered_key"].(string)
	p.Replace(t, "data/optins.xml", "</optins>", `<optin id="N999999"><email>`+gone+`</email><purpose>marketing.newsletter</purpose><channel>email</channel><action>unsubscribe</action><at>2026-06-30T17:30:00Z</at><form>form-1</form><country>FR</country></optin></optins>`)
	p.Run(t, weirtest.Done, "--now", now)
	after = d.State()
	counts("a consent withdrawn", 0, 0, 1)
	if _, ok := after.Activations["newsletter"][gone]; ok {
		t.Error("who withdrew is held still")
	}

	before = after
	moved := p.Query(t, known+`select record_id, delivered_key from own join activation.audience using (profile_id) where crm = 1 and n = 1 and activation = 'newsletter' order by 1 limit 1`)[0]
	editCRM(t, p, strings.TrimPrefix(moved["record_id"].(string), "crm/contacts/"), 4, "moved.house@mail.example")
	p.Run(t, weirtest.Done, "--now", now)
	after = d.State()
	counts("an address changed", 0, 0, 1)
	for _, key := range []string{moved["delivered_key"].(string), "moved.house@mail.example"} {
		if _, ok := after.Activations["newsletter"][key]; ok {
			t.Errorf("%s is held", key)
		}
	}
	reconcileDeliveries(t, p, d)
}

// editCRM changes a field of a contact in the export, which is not UTF-8.
func editCRM(t *testing.T, p *weirtest.Project, id string, field int, value string) {
	t.Helper()
	b, err := os.ReadFile(p.Path("data/crm.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(b, []byte("\r\n"))
	for i, line := range lines {
		if bytes.HasPrefix(line, []byte(id+";")) {
			fields := bytes.Split(line, []byte(";"))
			fields[field] = []byte(value)
			lines[i] = bytes.Join(fields, []byte(";"))
			if err := os.WriteFile(p.Path("data/crm.csv"), bytes.Join(lines, []byte("\r\n")), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("the CRM has no %s", id)
}

// documented is the example of a document that names this file in its first line.
func documented(t *testing.T, document, file string) string {
	t.Helper()
	raw, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(raw), "```yaml\n# "+file)
	text, _, ended := strings.Cut(text, "```")
	if !found || !ended {
		t.Fatalf("%s shows no %s", document, file)
	}
	return "#" + text
}
