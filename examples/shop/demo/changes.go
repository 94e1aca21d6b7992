package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/text/encoding/charmap"

	"github.com/weir-cdp/weir/examples/shop/receiver"
)

// member is somebody to whom something was delivered.
type member struct{ profile, email, crm string }

// changes are the three things that the demo changes.
type changes struct {
	renamed  member // a new first name in the CRM
	withdrew member // withdrew from the newsletter
	moved    member // a new e-mail address in the CRM
	newName  string
	newEmail string
}

// change picks three delivered members and edits the shop's files.
func (d *driver) change(ctx context.Context, at time.Time) (changes, error) {
	c := changes{newName: "Ginevra", newEmail: "moved.away@post.example"}
	type row struct {
		Profile string `json:"profile_id"`
		Email   string `json:"delivered_key"`
		CRM     string `json:"crm"`
	}
	pick := func(sql string) (member, error) {
		rows, err := query[row](ctx, d, sql)
		if err != nil {
			return member{}, err
		}
		if len(rows) == 0 {
			return member{}, fmt.Errorf("nobody fits %q", sql)
		}
		return member{rows[0].Profile, rows[0].Email, rows[0].CRM}, nil
	}
	// The members' records are in the CRM once, so that the CRM's word counts.
	const from = `with sent as (select profile_id, min(delivered_key) as delivered_key, count(*) as n, min(activation) as activation from activation.state group by profile_id),
		held as (select l.profile_id, count(*) as records, count(*) filter (r.source = 'crm') as in_crm, min(r.crm_id) as crm
			from core.records r join identity.links l using (record_id) group by l.profile_id)
		select profile_id, delivered_key, crm from sent join held using (profile_id) `
	var err error
	if c.renamed, err = pick(from + "where n = 2 and in_crm = 1 order by profile_id limit 1"); err != nil {
		return c, err
	}
	if c.withdrew, err = pick(from + "where n = 1 and activation = 'newsletter' order by profile_id limit 1"); err != nil {
		return c, err
	}
	if c.moved, err = pick(from + "where n = 1 and activation = 'newsletter' and in_crm = 1 and records = 1 order by profile_id desc limit 1"); err != nil {
		return c, err
	}
	if err := d.editCRM(c, at); err != nil {
		return c, err
	}
	return c, d.withdraw(c.withdrew.email, at)
}

// editCRM changes the renamed member's first name and the moved one's address.
func (d *driver) editCRM(c changes, at time.Time) error {
	path := filepath.Join(d.dir, "data", "crm.csv")
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := charmap.Windows1252.NewDecoder().String(string(raw))
	if err != nil {
		return err
	}
	lines := strings.Split(text, "\r\n")
	edited := 0
	for i, l := range lines {
		cells := strings.Split(l, ";")
		switch cells[0] {
		case c.renamed.crm:
			cells[1] = c.newName
		case c.moved.crm:
			cells[4] = c.newEmail
		default:
			continue
		}
		cells[len(cells)-1] = at.Format("2006-01-02 15:04:05")
		lines[i] = strings.Join(cells, ";")
		edited++
	}
	if edited != 2 {
		return fmt.Errorf("found %d of 2 members in crm.csv", edited)
	}
	out, err := charmap.Windows1252.NewEncoder().String(strings.Join(lines, "\r\n"))
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(out), 0o644)
}

// withdraw adds an unsubscription to the e-mail tool's list.
func (d *driver) withdraw(email string, at time.Time) error {
	path := filepath.Join(d.dir, "data", "optins.xml")
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	entry := fmt.Sprintf(`  <optin id="N-demo"><email>%s</email><purpose>marketing.newsletter</purpose><channel>email</channel><action>unsubscribe</action><at>%s</at><form>footer</form><country>FR</country></optin>
</optins>`, email, at.Format(time.RFC3339))
	return os.WriteFile(path, []byte(strings.Replace(string(raw), "</optins>", entry, 1)), 0o644)
}

// checkChanges holds what was delivered against what had to be.
func (d *driver) checkChanges(ctx context.Context, c changes, before, after receiver.State, run string) error {
	type delivery struct {
		Destination, Op, Status string
		Key                     string `json:"delivered_key"`
	}
	sent, err := query[delivery](ctx, d, fmt.Sprintf("select destination, op, status, delivered_key from activation.deliveries where run_id = '%s' order by all", run))
	if err != nil {
		return err
	}
	count := func(key, op string) int {
		n := 0
		for _, s := range sent {
			if s.Key == key && s.Op == op && s.Status == "delivered" {
				n++
			}
		}
		return n
	}
	ok := true
	say := func(good bool, format string, args ...any) {
		mark := "ok  "
		if !good {
			mark, ok = "FAIL", false
		}
		fmt.Printf("   %s  %s\n", mark, fmt.Sprintf(format, args...))
	}
	say(count(c.renamed.email, "update") == 2, "a first name changed in the CRM: %d updates, one per destination", count(c.renamed.email, "update"))
	say(count(c.withdrew.email, "remove") == 1, "a consent withdrawn: %d removal", count(c.withdrew.email, "remove"))
	say(count(c.moved.email, "remove") == 1 && count(c.newEmail, "add") == 0, "an e-mail address changed: %d removal of the old one, %d to the new one, for which nobody consented",
		count(c.moved.email, "remove"), count(c.newEmail, "add"))
	say(len(sent) == 4, "nothing else was sent: %d deliveries in all", len(sent))
	_, gone := after.Rows[c.withdrew.email]
	_, still := before.Rows[c.withdrew.email]
	say(still && !gone, "the receiver held the withdrawn address before and does not now")
	say(after.Duplicates == before.Duplicates, "no idempotency key was seen twice")
	if !ok {
		return fmt.Errorf("the third run did not do what it had to")
	}
	return nil
}
