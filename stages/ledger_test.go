package stages

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/policies/consents"
	proofs "github.com/weir-cdp/weir/policies/ledger"
	"github.com/weir-cdp/weir/project"
)

// tellStream makes entries what one stream says, as conform does.
func (w *world) tellStream(stream string, entries ...weir.Consent) {
	w.t.Helper()
	rows := slices.Clone(entries)
	for i := range rows {
		rows[i].Source, rows[i].Stream, _ = strings.Cut(stream, "/")
	}
	slices.SortFunc(rows, func(a, b weir.Consent) int { return strings.Compare(a.ID, b.ID) })
	put(w.village, schema.Named(consentsTable), weir.Conform, stream, rows...)
}

func (w *world) prove() {
	w.t.Helper()
	w.runs++
	if err := w.ProveConsents(w.t.Context(), weir.NewRunID(w.at, fmt.Sprintf("l%03d", w.runs))); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) sound() LedgerReport {
	w.t.Helper()
	r, err := w.VerifyLedger(w.t.Context(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	if len(r.Faults) > 0 {
		w.t.Fatalf("the ledger is not sound: %v", r.Faults)
	}
	return r
}

// entriesOf are the ledger's changes in order, each with what it supersedes.
func (w *world) changes() (out []string) {
	w.t.Helper()
	for _, e := range ledger[weir.LedgerEntry](w, ledgerTable, "order by entry") {
		out = append(out, fmt.Sprintf("%d %s %s>%d", e.Batch, e.Change, e.Action, e.Supersedes))
	}
	return out
}

func statement(id, email string, action weir.Action, at time.Time) weir.Consent {
	return weir.Consent{ID: id, Kind: "email", Value: email, Purpose: "marketing.newsletter", Channel: "email", Action: action, Basis: "consent",
		Explicit: true, Jurisdiction: "FR", OccurredAt: at, RecordedAt: at, Proof: "form " + id, Actor: "clerk", MappingVersion: "m1"}
}

func TestLedgerFollowsConsents(t *testing.T) {
	w := newWorld(t)
	a, b := statement("crm/o/1", "a@x.org", weir.Granted, noon), statement("crm/o/2", "b@x.org", weir.Granted, noon)
	w.tellStream("crm/o", a, b)
	w.prove()
	want := []string{"1 stated granted>0", "1 stated granted>0"}
	check := func(step string) {
		t.Helper()
		if d := cmp.Diff(want, w.changes()); d != "" {
			t.Fatalf("%s: %s", step, d)
		}
		w.sound()
	}
	check("first")
	w.prove()
	check("nothing changed")

	again := []weir.Consent{a, b}
	for i := range again { // another mapping with the same outcome, collected anew
		again[i].MappingVersion, again[i].RecordedAt = "m2", noon.Add(time.Hour)
	}
	w.tellStream("crm/o", again...)
	w.prove()
	check("same outcome")

	again[0].Purpose = "marketing"
	w.tellStream("crm/o", again...)
	w.prove()
	entries := ledger[weir.LedgerEntry](w, ledgerTable, "where batch = 2")
	if len(entries) != 1 || entries[0].MappingVersion != "m2" || entries[0].Purpose != "marketing" || entries[0].Change != weir.LedgerRestated {
		t.Fatalf("another outcome: %+v", entries)
	}
	first := entries[0].Supersedes
	want = append(want, fmt.Sprintf("2 restated granted>%d", first))
	check("another outcome")

	w.tellStream("shop/p", statement("shop/p/9", "a@x.org", weir.Withdrawn, noon))
	w.tellStream("crm/o", again[1])
	w.prove()
	want = append(want, "3 stated withdrawn>0", "3 gone >3")
	slices.Sort(want[3:])
	got := w.changes()
	slices.Sort(got[3:])
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal("gone: ", d)
	}
	w.sound()

	w.tellStream("crm/o", again...)
	w.prove()
	last := ledger[weir.LedgerEntry](w, ledgerTable, "where batch = 4")
	if len(last) != 1 || last[0].Change != weir.LedgerStated || last[0].Supersedes == 0 {
		t.Fatalf("back again: %+v", last)
	}
	if r := w.sound(); r.Batches != 4 || r.Entries != 6 {
		t.Errorf("%+v", r)
	}
}

// TestLedgerFoldsAsConsentsDo takes random histories of what two streams say, and
// compares what holds by the ledger with what holds by core.consents after each step.
func TestLedgerFoldsAsConsentsDo(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // a test's seed
	actions := []weir.Action{weir.Granted, weir.Granted, weir.Withdrawn, weir.Objected, weir.Restricted, weir.Unrestricted, weir.OptedOut, weir.Suppressed, "hm"}
	w := newWorld(t)
	people := []string{"a@x.org", "b@x.org", "c@x.org", "d@x.org"}
	said := map[string]map[string]weir.Consent{"crm/o": {}, "shop/p": {}}
	for range 12 {
		for _, stream := range []string{"crm/o", "shop/p"} {
			for range rng.IntN(4) {
				id := fmt.Sprintf("%s/%d", stream, rng.IntN(9))
				if rng.IntN(4) == 0 {
					delete(said[stream], id)
					continue
				}
				at := noon.Add(time.Duration(rng.IntN(6)-5) * time.Hour) // late ones, and ties
				c := statement(id, people[rng.IntN(len(people))], actions[rng.IntN(len(actions))], at)
				c.Explicit, c.Purpose = rng.IntN(2) == 0, []string{"marketing.newsletter", "marketing", ""}[rng.IntN(3)]
				if c.Purpose == "" && c.Action == weir.Granted {
					c.Purpose = "marketing"
				}
				if rng.IntN(5) == 0 {
					c.ExpiresAt = at.Add(time.Hour)
				}
				said[stream][id] = c
			}
			w.tellStream(stream, slices.Collect(maps.Values(said[stream]))...)
		}
		w.prove()
		q, err := w.ask(t.Context(), append(slices.Clone(ledgerTables), consentsTable)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range people {
			ids := weir.Identifiers{"email": {p}}
			lines, err := q.ledgerOf(t.Context(), ids)
			if err != nil {
				t.Fatal(err)
			}
			all, err := q.consentsOf(t.Context(), ids)
			if err != nil {
				t.Fatal(err)
			}
			for _, purpose := range []string{"marketing", "marketing.newsletter"} {
				query := consents.Query{Purpose: purpose, Channel: "email", Now: noon, Addresses: []consents.Address{{Kind: "email", Value: p}}}
				want := consents.Fold(consents.Profile{Entries: all}, query)
				got := consents.Fold(consents.Profile{Entries: holding(lines)}, query)
				if d := cmp.Diff(want, got); d != "" {
					t.Fatalf("%s: %s", purpose, d)
				}
			}
		}
		q.close()
	}
	w.sound()
}

// TestCrashLosesNoEntryAndDoublesNone cuts an append off at each of its writes to the
// store, and has another process carry on.
func TestCrashLosesNoEntryAndDoublesNone(t *testing.T) {
	w := newWorld(t)
	var all []weir.Consent
	add := func(n int) {
		for range n {
			all = append(all, statement(fmt.Sprintf("crm/o/%04d", len(all)), fmt.Sprintf("p%d@x.org", len(all)), weir.Granted, noon))
		}
		w.tellStream("crm/o", all...)
	}
	add(8)
	w.prove()
	failed := 0
	writes := func(r *http.Request) bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }
	w.counts.Store(&writes) // what lies between two of them is repeated, whatever it was
	for k := int64(1); ; k++ {
		add(1)
		err := w.crashing(k, func(ctx context.Context) error { return w.ProveConsents(ctx, weir.NewRunID(noon, fmt.Sprint("c", k))) })
		if err != nil {
			failed++
		}
		w.prove()
		entries := ledger[weir.LedgerEntry](w, ledgerTable, "order by entry")
		statements := map[string]bool{}
		for i, e := range entries {
			if e.Entry != int64(i+1) || e.Change != weir.LedgerStated || statements[e.Statement] {
				t.Fatalf("cut at %d: entry %d is %+v", k, i+1, e)
			}
			statements[e.Statement] = true
		}
		if len(entries) != len(all) {
			t.Fatalf("cut at %d: %d entries of %d statements", k, len(entries), len(all))
		}
		w.sound()
		for _, table := range ledgerTables { // else each append would take more requests than the one before
			if _, err := w.Lake.Compact(t.Context(), table, false); err != nil {
				t.Fatal(err)
			}
		}
		if err == nil {
			break // the whole append takes fewer requests
		}
	}
	w.sound()
	if failed < 8 {
		t.Errorf("only %d cuts broke an append off", failed)
	}
	q, err := w.ask(t.Context(), ledgerTables...)
	if err != nil {
		t.Fatal(err)
	}
	defer q.close()
	n := 0
	for i := range all { // every one can still be opened
		lines, err := q.ledgerOf(t.Context(), weir.Identifiers{"email": {fmt.Sprintf("p%d@x.org", i)}})
		if err != nil {
			t.Fatal(err)
		}
		n += len(lines)
	}
	if n != len(all) {
		t.Errorf("%d of %d entries open", n, len(all))
	}
}

func TestRacingAppendsMakeOneChain(t *testing.T) {
	w := newWorld(t)
	var all []weir.Consent
	for i := range 40 {
		all = append(all, statement(fmt.Sprintf("crm/o/%04d", i), fmt.Sprintf("p%d@x.org", i%9), weir.Granted, noon))
	}
	var mu sync.Mutex
	now := noon
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); now = now.Add(time.Second); return now }
	for n := 10; n <= 40; n += 10 {
		w.tellStream("crm/o", all[:n]...)
		var wg sync.WaitGroup
		for p := range 4 {
			house := *w.House
			house.Clock = clock
			wg.Go(func() {
				if err := house.ProveConsents(context.Background(), weir.NewRunID(noon, fmt.Sprint("r", n, p))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if r := w.sound(); r.Entries != int64(n) {
			t.Fatalf("%d entries of %d statements", r.Entries, n)
		}
	}
}

func TestHeadsThatWereNotedStayInTheChain(t *testing.T) {
	w := newWorld(t)
	w.tellStream("crm/o", statement("crm/o/1", "a@x.org", weir.Granted, noon))
	if r := w.sound(); r.Head != proofs.Head(weir.LedgerBatch{}) {
		t.Error("an empty ledger has the head", r.Head)
	}
	w.prove()
	noted := w.sound().Head
	w.tellStream("crm/o", statement("crm/o/1", "a@x.org", weir.Withdrawn, noon))
	w.prove()
	for head, faults := range map[string]int{noted: 0, w.sound().Head: 0, "0:empty": 0, "9:" + strings.Repeat("0", 64): 1, "1:" + strings.Repeat("0", 64): 1} {
		r, err := w.VerifyLedger(t.Context(), head)
		if err != nil || len(r.Faults) != faults {
			t.Errorf("%s: %v %v", head, r.Faults, err)
		}
	}
}

// Maintenance merges the ledger's small files and lets its old snapshots go. The chain
// verifies as before, what is sealed opens, and the ledger goes on where it stood.
func TestMaintenanceKeepsTheLedgerProvable(t *testing.T) {
	w := newWorld(t)
	var said []weir.Consent
	for i := range 14 { // more batches than snapshots are kept
		said = append(said, statement(fmt.Sprintf("crm/o/%02d", i), fmt.Sprintf("p%d@x.org", i%5), []weir.Action{weir.Granted, weir.Withdrawn}[i%2], noon.Add(time.Duration(i)*time.Hour)))
		w.tellStream("crm/o", said...)
		w.prove()
	}
	before, told := w.sound(), w.changes()
	snapshots := func() int {
		t.Helper()
		all, err := w.Lake.Snapshots(t.Context(), ledgerTable)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	had := snapshots()
	files, err := w.ledgerFiles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for month := range 2 { // the second finds what the first left
		if _, err := w.Maintain(t.Context(), &project.Project{Name: "shop", Retention: project.Retention{Snapshots: 24 * time.Hour}}, time.Now().AddDate(0, 1+month, 0), false); err != nil {
			t.Fatal(err)
		}
	}
	merged, err := w.ledgerFiles(t.Context())
	if err != nil || len(merged) >= len(files) || snapshots() >= had {
		t.Fatalf("maintenance did nothing: %d files and %d snapshots, then %d and %d: %v", len(files), had, len(merged), snapshots(), err)
	}
	after := w.sound()
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("another report: %s", d)
	}
	if d := cmp.Diff(told, w.changes()); d != "" {
		t.Errorf("other entries: %s", d)
	}
	if _, err := w.ForgetConsents(t.Context(), Forgetting{Addresses: weir.Identifiers{"email": {"p1@x.org"}}, Author: "Kim", Reason: "asked", Held: true}); err != nil {
		t.Fatal(err)
	}
	said[0].Action = weir.Withdrawn
	w.tellStream("crm/o", said...)
	w.prove()
	if last := w.sound(); last.Batches != before.Batches+2 {
		t.Errorf("it does not go on: %+v, before %+v", last, before)
	}
}
