package shop

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/text/encoding/charmap"
)

// Files makes the shop: its systems' files by path below data/, and truth.csv.
func Files(c Config) (map[string][]byte, error) {
	if c.People == 0 {
		c.People = 10_000
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	r := rand.New(rand.NewPCG(c.Seed, 7))
	g := &generator{r: r, people: population(c, r), truth: []string{"record_id,person_id"}, files: map[string][]byte{}}
	for _, system := range []func() error{g.crm, g.customers, g.orders, g.web, g.newsletter} {
		if err := system(); err != nil {
			return nil, err
		}
	}
	g.files["truth.csv"] = []byte(strings.Join(g.truth, "\n") + "\n")
	return g.files, nil
}

type generator struct {
	r      *rand.Rand
	people []person
	truth  []string
	files  map[string][]byte
}

func (g *generator) know(record string, p person) {
	g.truth = append(g.truth, fmt.Sprintf("%s,%d", record, p.id))
}

// past draws a time in the last days.
func (g *generator) past(days int) time.Time {
	return now.Add(-time.Duration(g.r.IntN(days*24*60)) * time.Minute)
}

// crm writes semicolons and Windows-1252, as an old system's export.
func (g *generator) crm() error {
	var b strings.Builder
	b.WriteString("crm_id;first_name;last_name;birth;email;mobile;street;zip;city;country;updated\r\n")
	n := 0
	row := func(p person, first, last, email string) {
		n++
		id := fmt.Sprintf("C%06d", n)
		born := p.born.Format("02/01/2006")
		mobile := spell(g.r, dialOf(p.country), p.phone)
		switch g.r.IntN(60) {
		case 0:
			email = "test@test.com"
		case 1:
			email = strings.ToUpper(email)
		case 2:
			email = " " + email + " "
		case 3:
			mobile = "0000000000"
		case 4:
			born = "31/02/1980"
		case 5:
			mobile = ""
		}
		fmt.Fprintf(&b, "%s;%s;%s;%s;%s;%s;\"%s\";%s;%s;%s;%s\r\n", id, first, last, born, email, mobile, p.street, p.postcode, p.city, p.country,
			g.past(700).Format("2006-01-02 15:04:05"))
		g.know("crm/contacts/"+id, p)
	}
	for _, p := range g.people {
		if !p.inCRM {
			continue
		}
		row(p, p.given, p.family, p.emails[0])
		if g.r.IntN(30) == 0 { // entered twice, once with a typo
			row(p, p.given, typo(g.r, p.family), p.emails[g.r.IntN(len(p.emails))])
		}
		if n%2500 == 0 {
			b.WriteString("C999;broken;row\r\n")
		}
	}
	text, err := charmap.Windows1252.NewEncoder().String(b.String())
	g.files["data/crm.csv"] = []byte(text)
	return err
}

type customerRow struct {
	CustomerID string    `parquet:"customer_id"`
	Email      string    `parquet:"email"`
	FirstName  string    `parquet:"first_name"`
	LastName   string    `parquet:"last_name"`
	Phone      *string   `parquet:"phone,optional"`
	Country    string    `parquet:"country"`
	Points     int64     `parquet:"points"`
	UpdatedAt  time.Time `parquet:"updated_at,timestamp(microsecond)"`
}

func customerID(p person) string { return fmt.Sprintf("S%06d", 100000+p.id) }

// shopMail is the mailbox that the shop knows: sometimes the second.
func shopMail(p person) string { return p.emails[len(p.emails)-1] }

func (g *generator) customers() error {
	var rows []customerRow
	for _, p := range g.people {
		if !p.inShop {
			continue
		}
		row := customerRow{CustomerID: customerID(p), Email: shopMail(p), FirstName: p.given, LastName: p.family, Country: p.country,
			Points: int64(g.r.IntN(2000)), UpdatedAt: g.past(500)}
		if g.r.IntN(3) > 0 {
			phone := spell(g.r, dialOf(p.country), p.phone)
			row.Phone = &phone
		}
		if g.r.IntN(20) == 0 {
			row.FirstName = strings.ToUpper(row.FirstName)
		}
		rows = append(rows, row)
		g.know("shop/customers/"+row.CustomerID, p)
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[customerRow](&b, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(4000))
	if _, err := w.Write(rows); err != nil {
		return err
	}
	err := w.Close()
	g.files["data/customers.parquet"] = b.Bytes()
	return err
}

// orders are NDJSON, one order a line, with refunds and a broken line.
func (g *generator) orders() error {
	var b bytes.Buffer
	n := 0
	for _, p := range g.people {
		if !p.inShop {
			continue
		}
		many := g.r.IntN(6)
		if p.vip {
			many += 6
		}
		for range many {
			n++
			cents := 500 + g.r.IntN(12000)
			status := "paid"
			if g.r.IntN(25) == 0 {
				status = "refunded"
			}
			o := map[string]any{"order_id": fmt.Sprintf("O%07d", n), "customer": map[string]any{"id": customerID(p)}, "status": status,
				"total": fmt.Sprintf("%d.%02d", cents/100, cents%100), "items": 1 + g.r.IntN(5), "placed_at": g.past(600).Format(time.RFC3339)}
			if err := line(&b, o); err != nil {
				return err
			}
			if n%9000 == 0 {
				b.WriteString("{\"order_id\": \"O-broken\", \"customer\": \n")
			}
		}
	}
	g.files["data/orders.ndjson"] = b.Bytes()
	return nil
}

func line(b *bytes.Buffer, v any) error {
	text, err := json.Marshal(v)
	b.Write(text)
	b.WriteByte('\n')
	return err
}

// web are tracking calls in Segment's shape, gzipped.
func (g *generator) web() error {
	var b bytes.Buffer
	n := 0
	call := func(kind, anonymous, user, event string, at time.Time, extra map[string]any) (string, error) {
		n++
		id := fmt.Sprintf("m-%07d", n)
		m := map[string]any{"messageId": id, "type": kind, "anonymousId": anonymous, "timestamp": at.Format("2006-01-02T15:04:05.000Z"),
			"context": map[string]any{"library": map[string]any{"name": "analytics.js"}, "locale": "fr-FR"}}
		if user != "" {
			m["userId"] = user
		}
		if event != "" {
			m["event"] = event
		}
		for k, v := range extra {
			m[k] = v
		}
		return id, line(&b, m)
	}
	for _, p := range g.people {
		if !p.onWeb {
			continue
		}
		anonymous := fmt.Sprintf("a-%016x", g.r.Uint64())
		at := g.past(90)
		for range 1 + g.r.IntN(12) {
			at = at.Add(time.Duration(g.r.IntN(5000)) * time.Second)
			if at.After(now) {
				break
			}
			if _, err := call("track", anonymous, "", pick(g.r, []string{"Product Viewed", "Product Added", "Page Viewed"}), at,
				map[string]any{"properties": map[string]any{"product": fmt.Sprintf("p%03d", g.r.IntN(300)), "category": pick(g.r, []string{"shoes", "kids", "home"})}}); err != nil {
				return err
			}
		}
		if p.inShop && g.r.IntN(3) > 0 && at.Before(now) {
			id, err := call("identify", anonymous, customerID(p), "", at, map[string]any{"traits": map[string]any{"email": shopMail(p)}})
			if err != nil {
				return err
			}
			g.know("web/logins/"+id, p)
		}
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	err := w.Close()
	g.files["data/web-2026-06.ndjson.gz"] = z.Bytes()
	return err
}

type optin struct {
	XMLName xml.Name `xml:"optin"`
	ID      string   `xml:"id,attr"`
	Email   string   `xml:"email,omitempty"`
	Purpose string   `xml:"purpose"`
	Channel string   `xml:"channel"`
	Action  string   `xml:"action"`
	At      string   `xml:"at"`
	Form    string   `xml:"form"`
	Country string   `xml:"country"`
}

// newsletter is the e-mail tool's list of who said yes and no.
func (g *generator) newsletter() error {
	var b bytes.Buffer
	b.WriteString(xml.Header + "<optins>\n")
	n := 0
	for _, p := range g.people {
		at := g.past(600)
		for i := range p.opts {
			n++
			o := optin{ID: fmt.Sprintf("N%06d", n), Email: p.emails[0], Purpose: "marketing.newsletter", Channel: "email", Action: "subscribe",
				At: at.Format(time.RFC3339), Form: fmt.Sprintf("form-%d", g.r.IntN(5)), Country: p.country}
			if i > 0 && g.r.IntN(3) == 0 {
				o.Action = "unsubscribe"
			}
			if n%1500 == 0 {
				o.Email = "" // an export without the address: nobody can be meant
			}
			text, err := xml.Marshal(o)
			if err != nil {
				return err
			}
			b.WriteString("  ")
			b.Write(text)
			b.WriteByte('\n')
			at = at.Add(time.Duration(g.r.IntN(60*24)) * time.Hour)
			if at.After(now) {
				break
			}
		}
	}
	b.WriteString("</optins>\n")
	g.files["data/optins.xml"] = b.Bytes()
	return nil
}
