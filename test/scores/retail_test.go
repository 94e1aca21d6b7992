package scores

import (
	"database/sql"
	"encoding/csv"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/weir-cdp/weir/pipelines/segment/score/purchase"
	"github.com/weir-cdp/weir/pipelines/segment/score/rfm"
)

// retail is the folder of a real shop's lines, a file a day, with its dirt.
func retail(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", "tx_uci_online_retail", "by-day", "*.csv"))
	if err != nil || len(files) == 0 {
		t.Skip("the UCI online retail data is not there; put it into ../shared/data/tx_uci_online_retail/by-day")
	}
	return files
}

const today = "2011-03-01"

// lines computes what DuckDB computes below, by this package.
func lines(t *testing.T, files []string) map[string]*purchase.State {
	out := map[string]*purchase.State{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			if row[6] == "" { // an event without a customer counts for nobody
				continue
			}
			at, err := time.Parse(time.DateTime, row[4])
			if err != nil {
				t.Fatal(err)
			}
			if out[row[6]] == nil {
				out[row[6]] = &purchase.State{}
			}
			quantity, ok1 := new(big.Rat).SetString(row[3])
			price, ok2 := new(big.Rat).SetString(row[5])
			if !ok1 || !ok2 {
				t.Fatal(row)
			}
			value := new(big.Rat).Mul(quantity, price).FloatString(3)
			out[row[6]].Add(purchase.Event{Day: int32(at.Unix() / 86400), Value: value, Valued: true, Order: row[0]})
		}
	}
	return out
}

// The same in SQL, independently: quantity times price per line, lines below 0
// are cancellations, ranks by the database's own window functions.
const query = `
with lines as (
  select CustomerID as customer, InvoiceNo as invoice, cast(InvoiceDate as date) as day,
         cast(Quantity as decimal(12,0)) * cast(UnitPrice as decimal(12,3)) as value
  from read_csv(%s, header = true, all_varchar = true) where CustomerID is not null and CustomerID <> ''),
customers as (
  select customer, date_diff('day', max(day) filter (value >= 0), date '` + today + `') as recency,
         count(distinct invoice) filter (value >= 0) as frequency, sum(value) as money
  from lines group by customer having count(*) filter (value >= 0) > 0)
select customer, recency, frequency, cast(money as varchar),
       1 + cast(floor(5.0 * (rank() over (order by recency desc) - 1) / count(*) over ()) as int),
       1 + cast(floor(5.0 * (rank() over (order by frequency) - 1) / count(*) over ()) as int),
       1 + cast(floor(5.0 * (rank() over (order by money) - 1) / count(*) over ()) as int)
from customers order by customer`

func TestRetailEqualsSQL(t *testing.T) {
	files := retail(t)
	now, _ := time.Parse(time.DateOnly, today)
	day := now.Unix() / 86400
	var d rfm.Distribution
	states := lines(t, files)
	mine := map[string]rfm.Customer{}
	for id, s := range states {
		if s.Any() {
			mine[id] = rfm.Customer{Recency: day - int64(s.LastDay()), Frequency: s.Orders(), Money: s.Money()}
			d.Add(mine[id])
		}
	}
	cuts, err := d.Cut(5)
	if err != nil {
		t.Fatal(err)
	}
	scorer, err := cuts.Scorer()
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(fmt.Sprintf(query, "['"+strings.Join(files, "','")+"']"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n, refunded := 0, 0
	for rows.Next() {
		var id, money string
		var recency, frequency int64
		var want rfm.Scores
		if err := rows.Scan(&id, &recency, &frequency, &money, &want.R, &want.F, &want.M); err != nil {
			t.Fatal(err)
		}
		n++
		c, known := mine[id]
		a, _ := new(big.Rat).SetString(money)
		b, _ := new(big.Rat).SetString(c.Money.String())
		if !known || c.Recency != recency || c.Frequency != frequency || a.Cmp(b) != 0 || scorer.Score(c) != want {
			t.Errorf("%s: %+v %s %+v, by SQL %d %d %s %+v", id, c, c.Money, scorer.Score(c), recency, frequency, money, want)
		}
		if a.Sign() <= 0 {
			refunded++
		}
	}
	if rows.Err() != nil || n != len(mine) || n < 1000 {
		t.Errorf("%d customers, by SQL %d: %v", len(mine), n, rows.Err())
	}
	t.Logf("%d customers of %d with lines, %d of them with no money left, cuts %+v", n, len(states), refunded, cuts)
}
