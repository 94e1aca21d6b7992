package revisions

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
)

var day = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// keyOf is the same key for the same name, every time.
func keyOf(name string) ed25519.PrivateKey {
	seed := Digest([]byte(name))[:ed25519.SeedSize]
	return ed25519.NewKeyFromSeed([]byte(seed))
}

func signer(name string) weir.Signer {
	return weir.Signer{Name: name, Key: FormatPublic(keyOf(name).Public().(ed25519.PublicKey))}
}

var people = []weir.Signer{signer("Ada"), signer("Ben"), signer("Cleo")}

// book is a log that is written as the stages write it.
type book struct {
	t   testing.TB
	log [][]byte
}

func newBook(t testing.TB) *book {
	b := &book{t: t}
	b.must(Pin(people))
	return b
}

func (b *book) standing() Standing {
	b.t.Helper()
	s, err := Fold("shop", b.log)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *book) try(e Entry) error {
	s := b.standing()
	if _, err := s.With("shop", e); err != nil {
		return err
	}
	b.log = append(b.log, e.Encode(s))
	return nil
}

func (b *book) must(e Entry) {
	b.t.Helper()
	if err := b.try(e); err != nil {
		b.t.Fatal(err)
	}
}

// force writes what the stages would not.
func (b *book) force(e Entry) { b.log = append(b.log, e.Encode(b.standing())) }

func (b *book) draft(change func(*Revision)) Revision {
	s := b.standing()
	follows, next := s.Head()
	r := Revision{Workspace: "shop", Number: next, Kind: Policy, State: Enforce, Bundle: fmt.Sprintf("bundle%d", next), Policy: fmt.Sprintf("policy%d", next), Tests: "t", WhatIf: "w",
		EffectiveAt: day, ProposedAt: day, Author: "Ada", Follows: follows, SignedBy: SignersDigest(s.Signers)}
	if change != nil {
		change(&r)
	}
	return r
}

func (b *book) propose(change func(*Revision)) Revision {
	b.t.Helper()
	r := b.draft(change)
	b.must(Propose(r, keyOf(r.Author), day))
	return r
}

func (b *book) publish(change func(*Revision)) Revision {
	b.t.Helper()
	r := b.propose(change)
	b.must(Approve(r, "Ben", keyOf("Ben"), day))
	return r
}

func (b *book) rules(at time.Time) int64 {
	a, _ := b.standing().Ruling(at)
	return a.Number
}

func TestTwoPeopleMakeARevision(t *testing.T) {
	b := newBook(t)
	if n := b.rules(day); n != 0 {
		t.Errorf("%d rules before anything was published", n)
	}
	r := b.propose(nil)
	if n := b.rules(day); n != 0 || len(b.standing().Pending) != 1 {
		t.Errorf("%d rules on one signature", n)
	}
	b.must(Approve(r, "ben ", keyOf("Ben"), day)) // a name as people write it
	got, ok := b.standing().Find(1)
	if b.rules(day) != 1 || !ok || got.Approver != "Ben" || got.Author != "Ada" || len(b.standing().Pending) != 0 {
		t.Errorf("%+v", b.standing())
	}
	if rows := b.standing().Records(); len(rows) != 2 || rows[1].Event != weir.PolicyApproved || rows[1].By != "Ben" || rows[1].Author != "Ada" {
		t.Errorf("%+v", rows)
	}
}

// Each of these must count for nothing: neither where it is written properly, nor where
// somebody who can write to the store puts it into the log.
func TestWhatDoesNotCount(t *testing.T) {
	stranger := keyOf("Mallory")
	cases := map[string]struct {
		entry func(b *book, waiting Revision) Entry
		says  string
	}{
		"the author's own approval":       {func(_ *book, r Revision) Entry { return Approve(r, "Ada", keyOf("Ada"), day) }, "somebody else"},
		"under another writing of a name": {func(_ *book, r Revision) Entry { return Approve(r, " ADA", keyOf("Ada"), day) }, "somebody else"},
		"a stranger's approval":           {func(_ *book, r Revision) Entry { return Approve(r, "Mallory", stranger, day) }, "no signer"},
		"a stranger who says to be Ben":   {func(_ *book, r Revision) Entry { return Approve(r, "Ben", stranger, day) }, "does not verify"},
		"the author's key under Ben":      {func(_ *book, r Revision) Entry { return Approve(r, "Ben", keyOf("Ada"), day) }, "does not verify"},
		"no signature": {func(_ *book, r Revision) Entry {
			e := Approve(r, "Ben", keyOf("Ben"), day)
			e.Signature = nil
			return e
		}, "no signature"},
		"a rejection used as an approval": {func(_ *book, r Revision) Entry {
			e := Reject(r, "Ben", keyOf("Ben"), day)
			e.Kind = weir.PolicyApproved
			return e
		}, "does not verify"},
		"the author's word as an approval": {func(_ *book, r Revision) Entry {
			e := Approve(r, "Ada", keyOf("Ada"), day)
			e.Signature = Propose(r, keyOf("Ada"), day).Signature
			return e
		}, "does not verify"},
		"of another moment": {func(_ *book, r Revision) Entry {
			e := Approve(r, "Ben", keyOf("Ben"), day)
			e.Signature.At = day.AddDate(0, 0, 1)
			return e
		}, "does not verify"},
		"of an altered revision": {func(_ *book, r Revision) Entry { r.Bundle = "evil"; return Approve(r, "Ben", keyOf("Ben"), day) }, "another revision"},
		"an approval of nothing": {func(_ *book, r Revision) Entry { r.Number = 77; return Approve(r, "Ben", keyOf("Ben"), day) }, "does not wait"},
		"an older number": {func(b *book, _ Revision) Entry {
			r := b.draft(func(r *Revision) { r.Number = 1 })
			return Propose(r, keyOf("Ada"), day)
		}, "numbers only grow"},
		"another workspace": {func(b *book, _ Revision) Entry {
			r := b.draft(func(r *Revision) { r.Workspace = "other" })
			return Propose(r, keyOf("Ada"), day)
		}, "workspace"},
		"in another's name": {func(b *book, _ Revision) Entry {
			r := b.draft(nil)
			e := Propose(r, keyOf("Ben"), day)
			e.Signature.Name = "Ben"
			return e
		}, "not signed by its author"},
		"signed with another's key": {func(b *book, _ Revision) Entry { return Propose(b.draft(nil), stranger, day) }, "does not verify"},
		"another list of signers": {func(b *book, _ Revision) Entry {
			r := b.draft(func(r *Revision) { r.SignedBy = SignersDigest(people[:2]) })
			return Propose(r, keyOf("Ada"), day)
		}, "another list"},
		"without reports": {func(b *book, _ Revision) Entry {
			r := b.draft(func(r *Revision) { r.Tests = "" })
			return Propose(r, keyOf("Ada"), day)
		}, "lacks"},
		"without an effective date": {func(b *book, _ Revision) Entry {
			r := b.draft(func(r *Revision) { r.EffectiveAt = time.Time{} })
			return Propose(r, keyOf("Ada"), day)
		}, "lacks"},
		"of no known state": {func(b *book, _ Revision) Entry {
			r := b.draft(func(r *Revision) { r.State = "canary" })
			return Propose(r, keyOf("Ada"), day)
		}, "lacks"},
		"a roll-back to what never was": {func(b *book, _ Revision) Entry {
			r := b.draft(func(r *Revision) { r.Kind, r.Restores = Rollback, 9 })
			return Propose(r, keyOf("Ada"), day)
		}, "never approved"},
		"a roll-back with other rules": {func(b *book, _ Revision) Entry {
			r := b.draft(func(r *Revision) { r.Kind, r.Restores = Rollback, 1 })
			return Propose(r, keyOf("Ada"), day)
		}, "never approved with these rules"},
		"a list of one signer": {func(b *book, _ Revision) Entry {
			r := b.draft(func(r *Revision) { r.Kind, r.Bundle, r.State, r.Signers = Signers, "", "", people[:1] })
			return Propose(r, keyOf("Ada"), day)
		}, "no list of signers"},
		"a second first entry": {func(*book, Revision) Entry {
			return Pin([]weir.Signer{signer("Mallory"), signer("Mallory's other hat")})
		}, "no known kind"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBook(t)
			b.publish(nil)
			e := c.entry(b, b.propose(nil))
			before := b.standing()
			if err := b.try(e); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%v", err)
			}
			b.force(e)
			after := b.standing()
			if len(after.Ignored) != 1 || len(after.Approved) != len(before.Approved) || b.rules(day) != 1 || SignersDigest(after.Signers) != SignersDigest(before.Signers) {
				t.Errorf("it counts: %+v", after)
			}
		})
	}
}

// Whatever an earlier log held, copied to its end, changes nothing.
func TestReplayedEntriesCountForNothing(t *testing.T) {
	b := newBook(t)
	for range 3 {
		b.publish(nil)
	}
	want := b.standing()
	for i := range b.log {
		replayed := &book{t: t, log: append([][]byte(nil), b.log...)}
		e, err := ParseEntry(b.log[i])
		if err != nil {
			t.Fatal(err)
		}
		replayed.force(e)
		if got := replayed.standing(); replayed.rules(day) != 3 || len(got.Approved) != 3 || len(got.Ignored) != 1 || len(got.Pending) != len(want.Pending) {
			t.Errorf("entry %d: %+v", i+1, got.Ignored)
		}
		if _, err := Fold("shop", append(append([][]byte(nil), b.log...), b.log[i])); err == nil {
			t.Errorf("entry %d stands twice, as it was, and the log is whole", i+1)
		}
	}
}

// A log that is altered anywhere, cut off or put in another order is refused, or what it
// lost is noticed by whoever saw it before.
func TestAlteredLogsAreNoticed(t *testing.T) {
	b := newBook(t)
	b.publish(nil)
	b.publish(func(r *Revision) { r.Bundle = "stricter" })
	seen := b.standing().Remember()
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		log := make([][]byte, len(b.log))
		for i := range b.log {
			log[i] = bytes.Clone(b.log[i])
		}
		switch r.IntN(4) {
		case 0:
			log = log[:r.IntN(len(log))]
		case 1:
			i, j := r.IntN(len(log)), r.IntN(len(log))
			log[i], log[j] = log[j], log[i]
		default:
			line := log[r.IntN(len(log))]
			line[r.IntN(len(line))] ^= byte(1 + r.IntN(255))
		}
		if fmt.Sprint(log) == fmt.Sprint(b.log) {
			continue
		}
		s, err := Fold("shop", log)
		if err == nil && seen.Continues(log) {
			t.Fatalf("not noticed: %+v", s)
		}
	}
	if !seen.Continues(b.log) || !(Remembered{}).Continues(nil) {
		t.Error("a whole log is refused")
	}
}

func TestNumbersGrowAndTheLateProposalIsOvertaken(t *testing.T) {
	b := newBook(t)
	one := b.propose(nil)
	two := b.propose(func(r *Revision) { r.Author = "Cleo" })
	b.must(Approve(two, "Ben", keyOf("Ben"), day))
	if err := b.try(Approve(one, "Ben", keyOf("Ben"), day)); err == nil || !strings.Contains(err.Error(), "another revision was approved since") {
		t.Errorf("%v", err)
	}
	if p, ok := b.standing().Waiting(1); !ok || !p.Overtaken || b.rules(day) != 2 {
		t.Errorf("%+v", b.standing())
	}
	b.must(Reject(one, "Ada", keyOf("Ada"), day)) // the author may take it back
	if _, ok := b.standing().Waiting(1); ok {
		t.Error("it still waits")
	}
}

func TestEffectiveDatesShadowAndRollback(t *testing.T) {
	b := newBook(t)
	first := b.publish(nil)
	b.publish(func(r *Revision) { r.EffectiveAt = day.AddDate(0, 1, 0) })
	b.publish(func(r *Revision) { r.State = Shadow })
	later := day.AddDate(0, 1, 0)
	for at, want := range map[time.Time][2]int64{day.Add(-time.Second): {0, 0}, day: {1, 3}, later.Add(-time.Nanosecond): {1, 3}, later: {2, 3}} {
		ruling, _ := b.standing().Ruling(at)
		shadow, _ := b.standing().Shadowing(at)
		if ruling.Number != want[0] || shadow.Number != want[1] {
			t.Errorf("at %s %d rules and %d is in shadow, want %v", at, ruling.Number, shadow.Number, want)
		}
	}
	b.publish(func(r *Revision) { r.Kind, r.Restores, r.Bundle, r.Policy = Rollback, 1, first.Bundle, first.Policy })
	if ruling, _ := b.standing().Ruling(later.AddDate(1, 0, 0)); ruling.Number != 4 || ruling.Bundle != first.Bundle {
		t.Errorf("%+v", ruling)
	}
	if _, ok := b.standing().Shadowing(later); ok {
		t.Error("what came before the roll-back is still in shadow")
	}
}

func TestChangeOfSignersNeedsTwoOfTheOldList(t *testing.T) {
	next := []weir.Signer{signer("Ben"), signer("Dora")}
	change := func(r *Revision) {
		r.Kind, r.State, r.Bundle, r.Policy, r.Tests, r.WhatIf, r.Signers = Signers, "", "", "", "", "", next
	}
	b := newBook(t)
	b.publish(nil)
	waiting := b.propose(nil)
	r := b.propose(change)
	if err := b.try(Approve(r, "Dora", keyOf("Dora"), day)); err == nil {
		t.Error("one of the new list approved it")
	}
	b.must(Approve(r, "Ben", keyOf("Ben"), day))
	if s := b.standing(); SignersDigest(s.Signers) != SignersDigest(next) || b.rules(day) != 1 || len(s.Pinned) != 3 {
		t.Errorf("%+v", s)
	}
	if err := b.try(Approve(waiting, "Cleo", keyOf("Cleo"), day)); err == nil {
		t.Error("a proposal under the old list was approved")
	}
	if err := b.try(Propose(b.draft(nil), keyOf("Ada"), day)); err == nil {
		t.Error("who left proposes")
	}
	b.must(Propose(b.draft(func(r *Revision) { r.Author = "Dora" }), keyOf("Dora"), day))
}
