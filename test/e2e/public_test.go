package e2e

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
	"github.com/weir-cdp/weir/test/postgrestest"
)

// publicProject: a shop's daily files, a CRM in PostgreSQL, and people with typos.
var publicProject = map[string]string{
	"weir.yaml": `name: public
timezone: Europe/London
default_region: GB
currency: GBP
subject:
  jurisdiction: [attribute.country]
`,
	"identity.yaml": `person:
  identifiers:
    customer_id: {limit: 1, hard: true}
    email: {limit: 5, shared_by: 20}
    contact_id: {limit: 1}
    person_id: {}
    phone: {limit: 3, link: false}
  rules:
    - {name: names_and_birth, match: [given_name, family_name, birth_date]}
    - {name: family_birth_and_city, match: [family_name, birth_date, city]}
  survivorship:
    default: [latest]
account:
  identifiers:
    company_id: {limit: 1, hard: true}
  survivorship:
    default: [latest]
`,
	"sources/retail.yaml": `connector: files
config: {path: retail}
streams:
  lines:
    path: "*.csv"
    types: {Quantity: int, UnitPrice: "decimal(12,3)"}
    key: [InvoiceNo, StockCode, Quantity, UnitPrice]
    as: event
    map:
      name: "InvoiceNo.startsWith('C') ? 'Order Cancelled' : 'Order Completed'"
      occurred_at: InvoiceDate
      identifiers: {customer_id: CustomerID}
      properties: {revenue: Quantity * UnitPrice, product: StockCode, quantity: Quantity}
  buyers:
    path: "*.csv"
    where: CustomerID != null
    key: [CustomerID]
    as: person
    map:
      identifiers: {customer_id: CustomerID}
      attributes: {country: Country}
      observed_at: InvoiceDate
`,
	"sources/northwind.yaml": `connector: postgres
config: {dsn: "${env:NORTHWIND_DSN}"}
streams:
  companies:
    table: public.customers
    sync: {mode: full}
    key: [customer_id]
    as: account
    map:
      identifiers: {company_id: customer_id}
      attributes: {company: company_name, city: city, country: country}
  contacts:
    table: public.customers
    sync: {mode: full}
    key: [customer_id]
    as: person
    map:
      identifiers: {contact_id: customer_id, phone: phone}
      attributes: {full_name: contact_name, city: city, country: country}
`,
	"sources/registry.yaml": `connector: files
config: {path: registry}
streams:
  people:
    path: "*.csv"
    key: [record_id]
    as: person
    map:
      identifiers: {email: email, person_id: record_id}
      attributes: {given_name: first_name, family_name: surname, birth_date: dob, city: city}
`,
	"traits/revenue.yaml":        "of: person\ncompute: {sum: properties.revenue, event: Order Completed}\n",
	"traits/lines.yaml":          "of: person\ncompute: {count: events, event: Order Completed}\n",
	"segments/good.yaml":         "of: person\nwhere:\n  all: [{trait: revenue, at_least: 500}]\n",
	"destinations/folder.yaml":   "connector: files\nconfig: {path: out, format: csv}\nprivacy: {role: processor, kind: agency, transfer: none, country: GB, mechanism: adequacy, dpa: true, purposes: [marketing.newsletter]}\n",
	"activations/good_list.yaml": "segment: good\ndestination: folder\npurpose: marketing.newsletter\nchannel: email\nmode: mirror\nkey: customer_id\nfields: {revenue: trait.revenue}\n",
}

// TestPublicData takes real data all the way. Nobody in it has consented to
// anything, so nothing may be delivered.
func TestPublicData(t *testing.T) {
	t.Parallel()
	days := weirtest.Data(t, "tx_uci_online_retail", "by-day")
	people := weirtest.Data(t, "id_splink", "derived")
	dump, err := os.ReadFile(weirtest.Data(t, "crm_northwind", "northwind.sql"))
	if err != nil {
		t.Fatal(err)
	}
	server := postgrestest.Own(t)
	dsn := server.Database(t)
	postgrestest.Exec(t, dsn, string(dump))

	p := weirtest.New(t, publicProject)
	p.Env = []string{"NORTHWIND_DSN=" + dsn}
	for _, day := range []string{"2010-12-01", "2010-12-02", "2010-12-03", "2010-12-20"} {
		copyFile(t, p, filepath.Join(days, day+".csv"), "retail/"+day+".csv")
	}
	copyFile(t, p, filepath.Join(people, "fake_1000.records.csv"), "registry/people.csv")
	s := p.Run(t, weirtest.Partial, "--now", "2026-01-01T00:00:00Z")
	for _, part := range s.Parts {
		t.Logf("%s %s: %s, %d in, %d out %v %s", part.Stage, part.Part, part.Outcome, part.RowsIn, part.RowsOut, part.Counts, part.Error)
		if part.Outcome != "done" && part.Outcome != "partial" && part.Stage != "activate" {
			t.Errorf("%s %s is %s: %s", part.Stage, part.Part, part.Outcome, part.Error)
		}
	}
	p.Dev(t)
	n := p.Numbers(t, map[string]string{
		"customers": "select count(distinct CustomerID) from raw.retail__lines where CustomerID <> ''",
		"wrong": `with own as (select CustomerID as value, sum(Quantity * UnitPrice) as revenue, count(*) as lines from (
				select InvoiceNo, StockCode, Quantity, UnitPrice, min(CustomerID) as CustomerID from raw.retail__lines group by all)
				where CustomerID <> '' and not starts_with(InvoiceNo, 'C') group by 1),
			traits as (select i.value, max(t.number) filter (where trait = 'revenue') as revenue, max(t.number) filter (where trait = 'lines') as lines
				from core.traits t join identity.identifiers i using (profile_id) where i.kind = 'customer_id' group by 1)
			select count(*) from own full join traits using (value) where coalesce(own.revenue, 0) <> coalesce(traits.revenue, 0) or coalesce(own.lines, 0) <> coalesce(traits.lines, 0)`,
		"companies":  "select count(*) from core.profiles where kind = 'account'",
		"contacts":   "select count(*) from core.records where source = 'northwind' and stream = 'contacts'",
		"registered": "select count(*) from core.records where source = 'registry'",
		"good":       "select count(*) from segment.memberships where segment = 'good'",
		"denied":     "select count(*) from consent.decisions where activation = 'good_list' and not allow",
		"decided":    "select count(*) from consent.decisions",
		"sent":       "select count(*) from activation.deliveries",
	})
	t.Log(n)
	if n["wrong"] != 0 || n["customers"] == 0 {
		t.Errorf("of %d customers %d have another revenue than plain SQL says", n["customers"], n["wrong"])
	}
	if n["companies"] != 91 || n["contacts"] != 91 || n["registered"] != 1000 {
		t.Errorf("not all of the CRM, or of the people, arrived: %v", n)
	}
	if n["good"] == 0 || n["denied"] != n["good"] || n["decided"] != n["good"] || n["sent"] != 0 {
		t.Errorf("not everybody without a consent was denied: %v", n)
	}
	truth := map[string]string{}
	f, err := os.Open(filepath.Join(people, "fake_1000.truth.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		truth["registry/people/"+row[0]] = row[1]
	}
	precision, recall := pairs(t, p, truth)
	t.Logf("fake_1000 by rules alone: precision %.4f, recall %.4f", precision, recall)
	if precision < 0.95 {
		t.Errorf("precision %.4f is below 0.95", precision)
	}
}

func copyFile(t *testing.T, p *weirtest.Project, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	p.Write(t, to, strings.Clone(string(b)))
}
