package ledger_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/ledger"
)

var (
	anyText = rapid.StringN(0, 12, -1)
	instant = rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.IntRange(0, 3).Draw(t, "none") == 0 {
			return time.Time{}
		}
		return time.UnixMicro(rapid.Int64Range(-1e15, 4e15).Draw(t, "micros")).UTC()
	})
	consent = rapid.Custom(func(t *rapid.T) weir.Consent {
		return weir.Consent{ID: anyText.Draw(t, "id"), Kind: anyText.Draw(t, "kind"), Value: anyText.Draw(t, "value"), Purpose: anyText.Draw(t, "purpose"),
			Channel: anyText.Draw(t, "channel"), Action: weir.Action(anyText.Draw(t, "action")), Basis: anyText.Draw(t, "basis"), Explicit: rapid.Bool().Draw(t, "explicit"),
			Jurisdiction: anyText.Draw(t, "jurisdiction"), OccurredAt: instant.Draw(t, "occurred"), RecordedAt: instant.Draw(t, "recorded"), ExpiresAt: instant.Draw(t, "expires"),
			Proof: anyText.Draw(t, "proof"), Method: anyText.Draw(t, "method"), Actor: anyText.Draw(t, "actor"), Notice: anyText.Draw(t, "notice"),
			NoticeHash: anyText.Draw(t, "hash"), RawSignal: anyText.Draw(t, "signal"), MappingVersion: anyText.Draw(t, "version"), Source: anyText.Draw(t, "source"), Stream: anyText.Draw(t, "stream")}
	})
)

func person(t testing.TB, seed byte) ledger.Person {
	t.Helper()
	p, err := ledger.NewPerson(bytes.Repeat([]byte{seed}, ledger.SaltSize))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhatIsSealedOpensAgain(t *testing.T) {
	jo, bo := person(t, 1), person(t, 2)
	rapid.Check(t, func(r *rapid.T) {
		c := consent.Draw(r, "consent")
		e, err := jo.State(&c)
		if err != nil {
			r.Fatal(err)
		}
		again, _ := jo.State(&c)
		if d := cmp.Diff(e, again); d != "" {
			r.Fatal("the same statement sealed twice differs:", d)
		}
		got, err := jo.Open(&e)
		if err != nil {
			r.Fatal(err)
		}
		if d := cmp.Diff(c, got); d != "" {
			r.Fatal(d)
		}
		if _, err := bo.Open(&e); err == nil {
			r.Fatal("another person's key opened it")
		}
	})
}

// What names the person must be nowhere in an entry but sealed.
func TestNothingPersonalInTheClear(t *testing.T) {
	c := weir.Consent{ID: "crm/optins/SECRET-KEY", Kind: "email", Value: "jo@example.org", Purpose: "marketing", Action: weir.Granted,
		Proof: "PROOF-17", Actor: "ACTOR Jane", RawSignal: "SIGNAL-1YNN", Source: "crm", Stream: "optins"}
	e, err := person(t, 1).State(&c)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(e)
	for _, secret := range []string{"SECRET-KEY", "jo@", "example", "PROOF", "ACTOR", "Jane", "SIGNAL"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the entry shows %s: %s", secret, text)
		}
	}
	other, _ := person(t, 2).State(&c)
	if e.Who == other.Who || e.Statement == other.Statement || e.Commitment == other.Commitment || e.Sealed == other.Sealed {
		t.Error("what is derived of a person does not depend on the salt alone")
	}
}

func TestCommitmentTellsWhatIsSaid(t *testing.T) {
	p := person(t, 1)
	rapid.Check(t, func(r *rapid.T) {
		c := consent.Draw(r, "consent")
		same := c
		same.MappingVersion += "x"
		if !c.OccurredAt.IsZero() {
			same.RecordedAt = same.RecordedAt.Add(time.Hour)
		}
		if p.Commitment(&c) != p.Commitment(&same) {
			r.Fatal("another mapping with the same outcome counts as another statement")
		}
		for name, change := range map[string]func(*weir.Consent){
			"purpose": func(c *weir.Consent) { c.Purpose += "x" }, "channel": func(c *weir.Consent) { c.Channel += "x" }, "action": func(c *weir.Consent) { c.Action += "x" },
			"explicit": func(c *weir.Consent) { c.Explicit = !c.Explicit }, "proof": func(c *weir.Consent) { c.Proof += "x" }, "actor": func(c *weir.Consent) { c.Actor += "x" },
			"signal": func(c *weir.Consent) { c.RawSignal += "x" }, "expires": func(c *weir.Consent) { c.ExpiresAt = c.ExpiresAt.Add(time.Microsecond) },
			"occurred": func(c *weir.Consent) { c.OccurredAt = c.OccurredAt.Add(time.Microsecond) }, "hash": func(c *weir.Consent) { c.NoticeHash += "x" },
			"notice": func(c *weir.Consent) { c.Notice += "x" }, "jurisdiction": func(c *weir.Consent) { c.Jurisdiction += "x" }, "value": func(c *weir.Consent) { c.Value += "x" },
		} {
			other := c
			change(&other)
			if p.Commitment(&c) == p.Commitment(&other) {
				r.Fatalf("another %s counts as the same", name)
			}
		}
	})
}

// book makes a sound ledger.
func book(t testing.TB, sizes []int) (batches []weir.LedgerBatch, entries []weir.LedgerEntry) {
	t.Helper()
	var last *weir.LedgerBatch
	for _, n := range sizes {
		b := ledger.Next(last)
		b.At, b.RunID = time.Unix(b.Number, 0).UTC(), weir.RunID(fmt.Sprint("run", b.Number))
		var tree ledger.Tree
		for i := range n {
			c := weir.Consent{ID: fmt.Sprint(b.Number, "/", i), Kind: "email", Value: "a@b.c", Purpose: "p", Action: weir.Granted}
			e, err := person(t, byte(i)).State(&c)
			if err != nil {
				t.Fatal(err)
			}
			e.Change, e.Batch, e.Entry = weir.LedgerStated, b.Number, b.First+int64(i)
			if err := tree.Append(&e); err != nil {
				t.Fatal(err)
			}
			entries = append(entries, e)
		}
		b.Count = int64(n)
		b.Root, _ = tree.Root()
		b.Chain = ledger.Chain(&b)
		batches = append(batches, b)
		last = &batches[len(batches)-1]
	}
	return batches, entries
}

func verify(t testing.TB, batches []weir.LedgerBatch, entries []weir.LedgerEntry) []ledger.Fault {
	t.Helper()
	v := ledger.NewVerifier(batches)
	sorted := slices.Clone(entries)
	slices.SortStableFunc(sorted, func(a, b weir.LedgerEntry) int { return int(a.Entry - b.Entry) })
	for i := range sorted {
		if err := v.Add(&sorted[i]); err != nil {
			t.Fatal(err)
		}
	}
	faults, _, err := v.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

func TestASoundLedgerVerifies(t *testing.T) {
	for _, sizes := range [][]int{nil, {1}, {1, 1, 1}, {7, 3, 64, 2, 33}} {
		b, e := book(t, sizes)
		if f := verify(t, b, e); len(f) > 0 {
			t.Errorf("%v: %v", sizes, f)
		}
	}
}

// TestEveryTamperingIsNamed does one wrong thing to a random place, and expects the
// batch and the entry to be named.
func TestEveryTamperingIsNamed(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 9), 2, 6).Draw(r, "sizes")
		b, e := book(t, sizes)
		i := rapid.IntRange(0, len(e)-1).Draw(r, "entry")
		hit := e[i]
		k := int(hit.Batch) - 1
		wantEntry := hit.Entry
		what := rapid.SampledFrom([]string{"alter", "remove", "insert", "renumber", "swap", "rehash", "record", "drop", "count"}).Draw(r, "what")
		switch what {
		case "alter":
			field := rapid.SampledFrom([]func(*weir.LedgerEntry){
				func(e *weir.LedgerEntry) { e.Purpose += "x" }, func(e *weir.LedgerEntry) { e.Action = weir.Withdrawn }, func(e *weir.LedgerEntry) { e.Sealed = "" },
				func(e *weir.LedgerEntry) { e.OccurredAt = e.OccurredAt.Add(time.Second) }, func(e *weir.LedgerEntry) { e.Who = "w_0" },
				func(e *weir.LedgerEntry) { e.Supersedes++ }, func(e *weir.LedgerEntry) { e.Change = weir.LedgerGone }, func(e *weir.LedgerEntry) { e.LeafHash = "00" },
				func(e *weir.LedgerEntry) { e.Reason = "x" }, func(e *weir.LedgerEntry) { e.Explicit = !e.Explicit }}).Draw(r, "field")
			field(&e[i])
		case "remove":
			e = slices.Delete(e, i, i+1)
		case "insert":
			e = append(e, hit)
		case "renumber":
			e[i].Entry = int64(len(e)) + 5
		case "swap":
			j := (i + 1) % len(e)
			e[i].Entry, e[j].Entry = e[j].Entry, e[i].Entry
		case "rehash": // altered together with its hash: only the root tells
			e[i].Purpose += "x"
			e[i].LeafHash = ledger.Leaf(&e[i])
			wantEntry = b[k].First
		case "record":
			b[k].At, wantEntry = b[k].At.Add(time.Second), 0
		case "drop":
			if k == len(b)-1 { // cutting the end is for what lies outside to tell
				k--
			}
			b, wantEntry, hit.Batch = slices.Delete(b, k, k+1), 0, int64(k+1)
		case "count":
			b[k].Count++
			wantEntry = 0
		}
		faults := verify(t, b, e)
		if !slices.ContainsFunc(faults, func(f ledger.Fault) bool { return f.Batch == hit.Batch && f.Entry == wantEntry }) {
			r.Fatalf("%s of batch %d, entry %d: %v", what, hit.Batch, hit.Entry, faults)
		}
	})
}

// A ledger that was rewritten from one batch on, with all hashes made anew, verifies
// by itself; its head is another.
func TestRewritingChangesTheHead(t *testing.T) {
	b, _ := book(t, []int{3, 2, 4})
	c, e := book(t, []int{3, 3, 4})
	if f := verify(t, c, e); len(f) > 0 {
		t.Fatal(f)
	}
	if ledger.Head(b[2]) == ledger.Head(c[2]) {
		t.Error("two ledgers have one head")
	}
	if n, chain, err := ledger.ReadHead(ledger.Head(b[2])); err != nil || n != 3 || chain != b[2].Chain {
		t.Error(n, chain, err)
	}
	for _, bad := range []string{"", "3", "x:y", "3:abc", "-1:" + b[2].Chain, "0:x"} {
		if _, _, err := ledger.ReadHead(bad); err == nil {
			t.Errorf("%q counts as a head", bad)
		}
	}
}

func TestProofsLeadToTheRoot(t *testing.T) {
	for size := 1; size <= 40; size++ {
		b, entries := book(t, []int{size})
		var all []uint64
		for i := range size {
			all = append(all, uint64(i))
		}
		p, err := ledger.NewProofs(uint64(size), all)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if err := p.Add(e.LeafHash); err != nil {
				t.Fatal(err)
			}
		}
		for i, e := range entries {
			in, err := p.Of(uint64(i))
			if err != nil {
				t.Fatal(size, i, err)
			}
			if !in.Check(&e, b[0].Root) {
				t.Errorf("entry %d of %d is not proven", i, size)
			}
			e.Purpose += "x"
			if in.Check(&e, b[0].Root) {
				t.Errorf("an altered entry %d of %d is proven", i, size)
			}
		}
	}
}

// RFC 6962's own example of hashing: the tree over the leaves d0..d6 of 2.1.3 has this
// shape, whatever library computes it.
func TestRootIsThatOfTheRFC(t *testing.T) {
	b, e := book(t, []int{7})
	h := func(i int) []byte { return unhex(t, e[i].LeafHash) }
	node := func(l, r []byte) []byte { return sum(append(append([]byte{1}, l...), r...)) }
	g, hh, i, j := node(h(0), h(1)), node(h(2), h(3)), node(h(4), h(5)), h(6)
	k, l := node(g, hh), node(i, j)
	if got := unhex(t, b[0].Root); !bytes.Equal(got, node(k, l)) {
		t.Errorf("root %x", got)
	}
}
