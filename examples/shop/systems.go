package shop

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/transform"
)

// Shop makes the systems' files, one after the other, each as a stream.
type Shop struct {
	config Config
	r      *rand.Rand // what is drawn after the people
	truth  bytes.Buffer
	next   int
}

// systems in the order in which they draw; the truth is told by all of them.
var systems = []struct {
	name  string
	write func(*Shop, io.Writer) error
}{
	{"data/crm.csv", (*Shop).crm},
	{"data/customers.parquet", (*Shop).customers},
	{"data/orders.ndjson", (*Shop).orders},
	{"data/web-2026-06.ndjson.gz", (*Shop).web},
	{"data/optins.xml", (*Shop).newsletter},
	{"truth.csv", (*Shop).known},
}

// New prepares a shop. Its memory grows by some 60 bytes a person: the addresses
// given out and the truth.
func New(c Config) *Shop {
	if c.People == 0 {
		c.People = 10_000
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	s := &Shop{config: c, r: source(c)}
	for range population(c, s.r) { // systems draw after the last person
		continue
	}
	s.truth.WriteString("record_id,person_id\n")
	return s
}

func source(c Config) *rand.Rand { return rand.New(rand.NewPCG(c.Seed, 7)) }

// people are the customers, the same each time.
func (g *Shop) people() iter.Seq[person] { return population(g.config, source(g.config)) }

// system writes the next system's file. Systems draw from one source, so they are
// written in their order, each once.
func (g *Shop) system(name string, w io.Writer) error {
	if g.next == len(systems) || systems[g.next].name != name {
		return fmt.Errorf("%s is not the file that comes next", name)
	}
	g.next++
	b := bufio.NewWriterSize(w, 1<<20)
	if err := systems[g.next-1].write(g, b); err != nil {
		return err
	}
	return b.Flush()
}

func (g *Shop) known(w io.Writer) error {
	_, err := g.truth.WriteTo(w)
	return err
}

func (g *Shop) know(record string, p person) {
	fmt.Fprintf(&g.truth, "%s,%d\n", record, p.id)
}

// past draws a time in the last days.
func (g *Shop) past(days int) time.Time {
	return now.Add(-time.Duration(g.r.IntN(days*24*60)) * time.Minute)
}

// crm writes semicolons and Windows-1252, as an old system's export.
func (g *Shop) crm(w io.Writer) error {
	b := transform.NewWriter(w, charmap.Windows1252.NewEncoder())
	if _, err := io.WriteString(b, "crm_id;first_name;last_name;birth;email;mobile;street;zip;city;country;updated\r\n"); err != nil {
		return err
	}
	n := 0
	row := func(p person, first, last, email string) error {
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
		g.know("crm/contacts/"+id, p)
		_, err := fmt.Fprintf(b, "%s;%s;%s;%s;%s;%s;\"%s\";%s;%s;%s;%s\r\n", id, first, last, born, email, mobile, p.street, p.postcode, p.city, p.country,
			g.past(700).Format("2006-01-02 15:04:05"))
		return err
	}
	for p := range g.people() {
		if !p.inCRM {
			continue
		}
		if err := row(p, p.given, p.family, p.emails[0]); err != nil {
			return err
		}
		if g.r.IntN(30) == 0 { // entered twice, once with a typo
			if err := row(p, p.given, typo(g.r, p.family), p.emails[g.r.IntN(len(p.emails))]); err != nil {
				return err
			}
		}
		if n%2500 == 0 {
			if _, err := io.WriteString(b, "C999;broken;row\r\n"); err != nil {
				return err
			}
		}
	}
	return b.Close()
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

func (g *Shop) customers(w io.Writer) error {
	out := parquet.NewGenericWriter[customerRow](w, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(4000))
	for p := range g.people() {
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
		g.know("shop/customers/"+row.CustomerID, p)
		if _, err := out.Write([]customerRow{row}); err != nil {
			return err
		}
	}
	return out.Close()
}

// orders are NDJSON, one order a line, with refunds and a broken line.
func (g *Shop) orders(w io.Writer) error {
	n := 0
	for p := range g.people() {
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
			if err := line(w, o); err != nil {
				return err
			}
			if n%9000 == 0 {
				if _, err := io.WriteString(w, "{\"order_id\": \"O-broken\", \"customer\": \n"); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func line(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// web are tracking calls in Segment's shape, gzipped.
func (g *Shop) web(w io.Writer) error {
	z := gzip.NewWriter(w)
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
		return id, line(z, m)
	}
	for p := range g.people() {
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
	return z.Close()
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
func (g *Shop) newsletter(w io.Writer) error {
	if _, err := io.WriteString(w, xml.Header+"<optins>\n"); err != nil {
		return err
	}
	n := 0
	for p := range g.people() {
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
			if _, err := fmt.Fprintf(w, "  %s\n", text); err != nil {
				return err
			}
			at = at.Add(time.Duration(g.r.IntN(60*24)) * time.Hour)
			if at.After(now) {
				break
			}
		}
	}
	_, err := io.WriteString(w, "</optins>\n")
	return err
}
