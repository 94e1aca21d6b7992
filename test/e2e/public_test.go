package e2e

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
	"github.com/weir-cdp/weir/test/postgrestest"
)

// TestPublicData takes real data all the way. Nobody in it has consented to
// anything, so nothing may be delivered.
func TestPublicData(t *testing.T) {
	t.Parallel()
	people := weirtest.Data(t, "id_splink", "derived")
	p := weirtest.Public(t, postgrestest.Own(t).Database(t))
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
