package stages

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/permit"
)

func (w *world) record(o ConsentOrder) RecordedConsent {
	w.t.Helper()
	out, err := w.RecordConsent(w.t.Context(), w.project, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func withdrawal(email string) ConsentOrder {
	return ConsentOrder{About: email, Purpose: "marketing.newsletter", Channel: "email", Action: "withdrawn", Author: "jane", Proof: "call 17"}
}

func TestRecordedStatementsStayAndCount(t *testing.T) {
	w := newWorld(t)
	w.tellStream("crm/o", statement("crm/o/1", "a@x.org", weir.Granted, noon))
	w.prove()
	r := w.record(withdrawal("A@x.org"))
	if !r.Nobody {
		t.Error("no profile holds a@x.org, and it is not told")
	}
	if r.Statement.Value != "a@x.org" || r.Statement.Source != "weir" || r.Batch.Number != 2 {
		t.Errorf("%+v", r)
	}
	w.record(ConsentOrder{About: "new@x.org", Purpose: "marketing.newsletter", Channel: "mail", Action: "yes", Author: "jane", Proof: "form", NoticeText: []byte("we write"), Explicit: true})
	// Another conform replaces every stream of every source, and takes back what runs
	// that died left.
	w.tellStream("crm/o", statement("crm/o/1", "a@x.org", weir.Granted, noon), statement("crm/o/2", "b@x.org", weir.Granted, noon))
	w.prove()
	var said []string
	for _, c := range ledger[weir.Consent](w, consentsTable, "order by source, identifier_value") {
		said = append(said, fmt.Sprint(c.Source, " ", c.Value, " ", c.Action))
	}
	want := []string{"crm a@x.org granted", "crm b@x.org granted", "weir a@x.org withdrawn", "weir new@x.org granted"}
	if !slices.Equal(said, want) {
		t.Errorf("%q", said)
	}
	if r := w.sound(); r.Entries != 4 {
		t.Errorf("%d entries", r.Entries)
	}
	v, err := w.Consents(t.Context(), w.project, "a@x.org", w.clock)
	if err != nil || len(v.Ledger) != 2 || v.Ledger[1].Said == nil || v.Ledger[1].Said.Proof != "call 17" || v.Ledger[1].Said.Actor != "jane" {
		t.Errorf("%+v %v", v.Ledger, err)
	}
	if got := v.Folded[0].State.Status; got != "withdrawn" {
		t.Error("what holds:", got)
	}
}

func TestWhatIsRecordedIsChecked(t *testing.T) {
	w := newWorld(t)
	good := ConsentOrder{About: "a@x.org", Purpose: "marketing.newsletter", Channel: "email", Action: "granted", Author: "jane", Proof: "form"}
	for name, c := range map[string]struct {
		change func(*ConsentOrder)
		want   string
	}{
		"purpose":  {func(o *ConsentOrder) { o.Purpose = "marketing.newsleter" }, "did you mean marketing.newsletter"},
		"channel":  {func(o *ConsentOrder) { o.Channel = "emial" }, "did you mean email"},
		"action":   {func(o *ConsentOrder) { o.Action = "withdrwan" }, "did you mean withdrawn"},
		"kind":     {func(o *ConsentOrder) { o.About = "emial:a@x.org" }, "no identifier"},
		"nobody":   {func(o *ConsentOrder) { o.About = "a" }, "KIND:VALUE"},
		"author":   {func(o *ConsentOrder) { o.Author = " " }, "needs an author"},
		"proof":    {func(o *ConsentOrder) { o.Proof = "" }, "needs proof"},
		"future":   {func(o *ConsentOrder) { o.OccurredAt = noon.AddDate(9, 0, 0) }, "in the future"},
		"expiry":   {func(o *ConsentOrder) { o.OccurredAt, o.ExpiresAt = noon, noon }, "ends before"},
		"grant":    {func(o *ConsentOrder) { o.Purpose = "" }, "needs a purpose"},
		"parent":   {func(o *ConsentOrder) { o.Purpose = "marketing" }, "no purpose"},
		"signal":   {func(o *ConsentOrder) { o.Action = "signal" }, "needs its text"},
		"country":  {func(o *ConsentOrder) { o.Jurisdiction = "Atlantis" }, "jurisdiction"},
		"two line": {func(o *ConsentOrder) { o.Proof = "a\nb" }, "one line"},
	} {
		o := good
		c.change(&o)
		if _, err := w.RecordConsent(t.Context(), w.project, o); weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, o := range []ConsentOrder{good, {About: "email:a@x.org", Action: "objected", Author: "jane"}, {About: "a@x.org", Purpose: "marketing", Action: "no", Author: "jane"},
		{About: "a@x.org", Purpose: "sale", Action: "optout", Jurisdiction: "US-CA", Author: "jane"}} {
		if _, err := w.ordered(t.Context(), w.project, o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// TestCrashWhileRecording cuts the recording off at each of its writes. Once the
// statement was noted it is never lost, and it is never there twice.
func TestCrashWhileRecording(t *testing.T) {
	w := newWorld(t)
	w.tellStream("crm/o", statement("crm/o/1", "a@x.org", weir.Granted, noon))
	w.prove()
	writes := func(r *http.Request) bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }
	w.counts.Store(&writes)
	failed := 0
	for k := int64(1); ; k++ {
		value := fmt.Sprintf("p%d@x.org", k)
		err := w.crashing(k, func(ctx context.Context) error {
			_, err := w.RecordConsent(ctx, w.project, withdrawal(value))
			return err
		})
		noted := 0
		for _, err := range w.store().List(t.Context(), recordedPrefix) {
			if err != nil {
				t.Fatal(err)
			}
			noted++
		}
		if err := w.settleRecorded(t.Context(), weir.NewRunID(noon, fmt.Sprint("s", k))); err != nil {
			t.Fatal(err)
		}
		rows := ledger[weir.Consent](w, consentsTable, "where identifier_value = '"+value+"'")
		entries := ledger[weir.LedgerEntry](w, ledgerTable, "where source = 'weir'")
		if len(rows) > 1 || err == nil && len(rows) != 1 || noted == 1 && len(rows) != 1 {
			t.Fatalf("cut at %d (%v, noted %d): %d statements", k, err, noted, len(rows))
		}
		all := ledger[weir.Consent](w, consentsTable, "where source = 'weir'")
		if len(entries) != len(all) {
			t.Fatalf("cut at %d: %d entries of %d statements", k, len(entries), len(all))
		}
		w.sound()
		if err == nil {
			break
		}
		failed++
	}
	if failed < 8 {
		t.Errorf("only %d cuts broke a recording off", failed)
	}
}

// TestWithdrawalStopsWhatIsNotSentYet holds a send open after its first batch, records a
// withdrawal, and lets it go on: the rows that are not sent yet and are concerned stay.
func TestWithdrawalStopsWhatIsNotSentYet(t *testing.T) {
	w := newWorld(t)
	for i := range 6 {
		id := fmt.Sprintf("p%d", i)
		w.people[id] = citizen{email: id + "@x.org", name: "Jo", member: true}
		w.say(id+"@x.org", weir.Granted)
	}
	w.settle()
	w.prove()
	w.must(weir.Decide, "")
	decided := ledger[weir.Decision](w, "consent.decisions", "")
	if len(decided) != 6 {
		t.Fatalf("%d decisions", len(decided))
	}
	first := map[string]bool{}
	w.tool.caps.BatchRows, w.tool.caps.Parallel = 2, 1
	w.tool.answer = nil
	held, release := make(chan struct{}), make(chan struct{})
	w.tool.before = func(call int, b permit.Batch) error {
		if call == 1 { // this batch is under way: what is in it is sent
			for _, r := range b.Rows() {
				first[r.Key] = true
			}
			close(held)
			<-release
		}
		return nil
	}
	done := make(chan weir.StageRun, 1)
	go func() { done <- w.must(weir.Activate, "esp") }()
	<-held
	stopped := ""
	for i := range 6 {
		if email := fmt.Sprintf("p%d@x.org", i); !first[email] {
			stopped = email
			break
		}
	}
	// The command runs in a process of its own, whose crash points are not counted.
	house := *w.House
	at := noon.Add(time.Hour)
	house.Clock = func() time.Time { return at }
	if _, err := house.RecordConsent(t.Context(), w.project, withdrawal(stopped)); err != nil {
		t.Fatal(err)
	}
	close(release)
	<-done
	if _, there := w.tool.holds[stopped]; there {
		t.Errorf("%s was sent after it was withdrawn", stopped)
	}
	if len(w.tool.holds) != 5 {
		t.Errorf("%d of the 5 others were sent", len(w.tool.holds))
	}
	for _, d := range ledger[weir.Delivery](w, "activation.deliveries", "") {
		if want := d.DeliveredKey == stopped; want != (d.Status == Stopped) {
			t.Errorf("%s: %s %s", d.DeliveredKey, d.Status, d.Reply)
		}
	}
	w.sound()
}

func TestForgettingErasesAndVerifies(t *testing.T) {
	w := newWorld(t)
	w.tellStream("crm/o", statement("crm/o/1", "a@x.org", weir.Granted, noon), statement("crm/o/2", "b@x.org", weir.Granted, noon))
	w.prove()
	before := w.sound()
	ids := weir.Identifiers{"email": {"a@x.org"}}
	order := Forgetting{Addresses: ids, Author: "dpo", Reason: "request 77"}
	if _, err := w.ForgetConsents(t.Context(), order); weir.CodeOf(err) != weir.Conflict {
		t.Error("forgotten although core.consents holds a statement:", err)
	}
	for _, bad := range []Forgetting{{Addresses: ids, Author: "dpo"}, {Addresses: ids, Reason: "x"}, {Addresses: ids, Author: "dpo", Reason: "asked by A@x.org"}} {
		if _, err := w.ForgetConsents(t.Context(), bad); weir.CodeOf(err) != weir.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	w.tellStream("crm/o", statement("crm/o/2", "b@x.org", weir.Granted, noon))
	w.prove()
	done, err := w.ForgetConsents(t.Context(), order)
	if err != nil || done.Addresses != 1 || done.Entries != 1 {
		t.Fatal(done, err)
	}
	after := w.sound()
	if r, err := w.VerifyLedger(t.Context(), before.Head); err != nil || len(r.Faults) > 0 {
		t.Error("the head from before is not in the chain:", r.Faults, err)
	}
	if after.Entries != 4 { // two stated, one gone, one forgotten
		t.Errorf("%+v", after)
	}
	v, err := w.Consents(t.Context(), w.project, "a@x.org", noon)
	if err != nil || len(v.Ledger) != 0 {
		t.Error("the ledger still knows:", v.Ledger, err)
	}
	if b, err := w.Consents(t.Context(), w.project, "b@x.org", noon); err != nil || len(b.Ledger) != 1 {
		t.Error("somebody else was forgotten:", b.Ledger, err)
	}
	if _, err := w.ForgetConsents(t.Context(), order); weir.CodeOf(err) != weir.NotFound {
		t.Error("forgotten twice:", err)
	}
	// Who comes back begins anew, under another pseudonym.
	w.tellStream("crm/o", statement("crm/o/1", "a@x.org", weir.Granted, noon), statement("crm/o/2", "b@x.org", weir.Granted, noon))
	w.prove()
	entries := ledger[weir.LedgerEntry](w, ledgerTable, "order by entry")
	if n := len(entries); n != 5 || entries[n-1].Change != weir.LedgerStated || entries[n-1].Who == entries[3].Who || entries[n-1].Supersedes != 0 {
		t.Errorf("%+v", entries[len(entries)-1])
	}
	w.sound()
}
