package weirtest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/weir-cdp/weir/test/postgrestest"
)

// public is a project of public data: a shop's daily files, a CRM in PostgreSQL, and people with typos.
var public = map[string]string{
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

// PublicNow is the moment of the public project's runs.
const PublicNow = "2026-01-01T00:00:00Z"

// Public makes the project of public data, its CRM in an empty database of dsn; the test
// is skipped without the data.
func Public(t testing.TB, dsn string) *Project {
	t.Helper()
	days, people := Data(t, "tx_uci_online_retail", "by-day"), Data(t, "id_splink", "derived")
	dump, err := os.ReadFile(Data(t, "crm_northwind", "northwind.sql"))
	if err != nil {
		t.Fatal(err)
	}
	postgrestest.Exec(t, dsn, string(dump))
	p := New(t, public)
	p.Env = append(p.Env, "NORTHWIND_DSN="+dsn)
	for _, day := range []string{"2010-12-01", "2010-12-02", "2010-12-03", "2010-12-20"} {
		p.copyFile(t, filepath.Join(days, day+".csv"), "retail/"+day+".csv")
	}
	p.copyFile(t, filepath.Join(people, "fake_1000.records.csv"), "registry/people.csv")
	return p
}

func (p *Project) copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	p.Write(t, to, string(b))
	written := time.Date(2025, 12, 31, 12, 0, 0, 0, time.UTC) // a file's rows are named by it too
	if err := os.Chtimes(p.Path(to), written, written); err != nil {
		t.Fatal(err)
	}
}
