package stages

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/revisions"
)

// officer is somebody with a key.
func officer(name string) (weir.Signer, ed25519.PrivateKey) {
	k := ed25519.NewKeyFromSeed([]byte(revisions.Digest([]byte(name))[:ed25519.SeedSize]))
	return weir.Signer{Name: name, Key: revisions.FormatPublic(k.Public().(ed25519.PublicKey))}, k
}

// signed is a world whose policies two people sign.
type signed struct{ *world }

func signing(t *testing.T) signed {
	w := many(t)
	ada, _ := officer("Ada")
	ben, _ := officer("Ben")
	w.project.Signers, w.project.PolicyMaxAge = []weir.Signer{ada, ben}, 400*24*time.Hour
	w.Memory = t.TempDir()
	return signed{w}
}

// stricter is a folder with the built-in policy where consent holds no day.
func stricter(t *testing.T, days int) string {
	dir := t.TempDir()
	if err := os.CopyFS(dir, policies.Builtin()); err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(dir, "data", "retention.yaml")
	b, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	next := strings.ReplaceAll(string(b), "consent_max_age_days: 730", fmt.Sprintf("consent_max_age_days: %d", days))
	if err := os.WriteFile(p, []byte(next), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// propose makes a revision of a folder without proving it, which takes long.
func (s signed) propose(dir string, change func(*revisions.Revision)) revisions.Revision {
	s.t.Helper()
	b, err := policies.Pack(dir)
	if err != nil {
		s.t.Fatal(err)
	}
	gate, err := policies.LoadPacked(s.t.Context(), b, "x", policies.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.store().PutIfAbsent(s.t.Context(), policyBundleKey(revisions.Digest(b)), b); err != nil {
		s.t.Fatal(err)
	}
	st := s.standing()
	var pin []weir.Signer
	if st.Sequence == 0 {
		pin, st.Signers = s.project.Signers, s.project.Signers
	}
	follows, next := st.Head()
	r := revisions.Revision{Workspace: "shop", Number: next, Kind: revisions.Policy, State: revisions.Enforce, Bundle: revisions.Digest(b), Policy: gate.Revision(), Tests: "t", WhatIf: "w",
		EffectiveAt: noon, ProposedAt: noon, Author: "Ada", Follows: follows, SignedBy: revisions.SignersDigest(st.Signers)}
	if change != nil {
		change(&r)
	}
	_, key := officer(r.Author)
	s.record(pin, revisions.Propose(r, key, noon))
	return r
}

func (s signed) record(pin []weir.Signer, e revisions.Entry) {
	s.t.Helper()
	if err := s.tryRecord(pin, e); err != nil {
		s.t.Fatal(err)
	}
}

func (s signed) tryRecord(pin []weir.Signer, e revisions.Entry) error {
	key, err := s.DraftPolicy(s.t.Context(), "shop", pin, e)
	if err != nil {
		return err
	}
	return s.RecordPolicy(s.t.Context(), key)
}

func (s signed) approve(r revisions.Revision, by string) error {
	_, key := officer(by)
	return s.tryRecord(nil, revisions.Approve(r, by, key, noon))
}

func (s signed) publish(dir string, change func(*revisions.Revision)) revisions.Revision {
	s.t.Helper()
	r := s.propose(dir, change)
	if err := s.approve(r, "Ben"); err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s signed) standing() revisions.Standing {
	s.t.Helper()
	st, err := s.PolicyStanding(s.t.Context(), "shop")
	if err != nil {
		s.t.Fatal(err)
	}
	return st
}

// says is what the gate answers about everybody: "allow", or the one reason that all
// have, at a moment.
func (s signed) says(at time.Time) string {
	s.t.Helper()
	g, err := s.Ruling(s.t.Context(), s.project, at)
	if err != nil {
		return string(weir.CodeOf(err))
	}
	in := policies.Input{
		Activation: policies.Activation{Channel: "email", Device: policies.No, Effect: "none", HumanReview: policies.No, Purpose: "marketing.newsletter"},
		Consent:    policies.Consent{AgeDays: policies.DaysOf(30), Explicit: policies.No, Guardian: policies.No, Proof: policies.Yes, Status: policies.StatusGranted},
		Controller: policies.Controller{Charity: policies.No, Minors: policies.No},
		Destination: policies.Destination{Country: "FR", DPA: policies.Yes, Google: policies.No, TCF: policies.No, Kind: "esp", Mechanism: "adequacy",
			Purposes: policies.ListOf("marketing.newsletter"), Role: "processor", Transfer: "none"},
		Subject: policies.Subject{AgeBand: policies.Adult, Erasure: policies.ErasureNone, GPC: policies.No, InactiveDays: policies.DaysOf(3), Jurisdictions: "FR", Objected: policies.No,
			OptedOut: policies.No, Restricted: policies.No, Customer: policies.No, LimitSensitive: policies.No, OptOutOffered: policies.No, OptedOutAds: policies.No,
			OptedOutProfiling: policies.No, Suppressed: policies.NotSuppressed, SuppressedElsewhere: policies.No},
	}
	v, err := g.Evaluate(s.t.Context(), in)
	if err != nil {
		s.t.Fatal(err)
	}
	if v.Allow {
		return "allow"
	}
	return strings.Join(v.Reasons, " ")
}

func (s signed) expect(at time.Time, want string) {
	s.t.Helper()
	if got := s.says(at); got != want {
		s.t.Errorf("the gate says %s, want %s", got, want)
	}
}

func (s signed) overwrite(key string, b []byte) {
	s.t.Helper()
	if err := s.store().Put(s.t.Context(), key, strings.NewReader(string(b)), int64(len(b))); err != nil {
		s.t.Fatal(err)
	}
}

// Of what was delivered nothing stays while no policy may rule, and all comes back.
func TestOnlyWhatTwoSignedRules(t *testing.T) {
	s := signing(t)
	if row, _ := s.deliver(); row.Counts["news.D32"] != 2 || row.Counts["news.allow"] != 0 || row.Status != Partial || !strings.Contains(row.Error, "no policy could answer") || !strings.Contains(row.Error, "weir policy publish") {
		t.Errorf("nothing is published, and %s: %s %v", row.Status, row.Error, row.Counts)
	}
	r := s.propose("", nil)
	s.expect(noon, "D32") // one signature
	if err := s.approve(r, "Ada"); err == nil || !strings.Contains(err.Error(), "somebody else") {
		t.Errorf("the author approved: %v", err)
	}
	s.expect(noon, "D32")
	if err := s.approve(r, "Ben"); err != nil {
		t.Fatal(err)
	}
	s.expect(noon, "allow")
	if row, _ := s.deliver(); row.Counts["news.allow"] != 1 {
		t.Errorf("%v", row.Counts)
	}
	s.holds(map[string]string{"a@x.org": "p1 a@x.org Ann"})
	if counts, err := s.RuleCounts(s.t.Context()); err != nil || counts["consent"] != 1 || counts["D20"]+counts["no_basis"] < 1 || counts["D32"] != 0 {
		t.Errorf("people by rule: %v %v", counts, err)
	}
	rows := ledger[weir.PolicyRecord](s.world, policiesTable, `order by sequence`)
	if len(rows) != 2 || rows[0].Event != weir.PolicyProposed || rows[0].By != "Ada" || rows[1].Event != weir.PolicyApproved || rows[1].By != "Ben" || rows[1].Policy != r.Policy || !rows[1].EffectiveAt.Equal(noon) {
		t.Errorf("%+v", rows)
	}
	revision := ledger[weir.DecisionClass](s.world, "consent.classes", "where allow")[0].PolicyRevision
	if revision != r.Policy {
		t.Errorf("decisions name %s, published is %s", revision, r.Policy)
	}
}

func TestEffectiveFromTheDayOn(t *testing.T) {
	s := signing(t)
	s.publish("", nil)
	s.publish(stricter(t, 7), func(r *revisions.Revision) { r.EffectiveAt = noon.AddDate(0, 1, 0) })
	s.expect(noon, "allow")
	s.expect(noon.AddDate(0, 1, 0).Add(-time.Second), "allow")
	s.expect(noon.AddDate(0, 1, 0), "D07")
	s.expect(noon.AddDate(-1, 0, 0), "D32") // none was effective then
	s.publish("", func(r *revisions.Revision) { r.Kind, r.Restores = revisions.Rollback, 1 })
	s.expect(noon.AddDate(0, 2, 0), "allow")
	s.expect(noon.AddDate(0, 0, 400).Add(-time.Second), "allow")
	s.expect(noon.AddDate(0, 0, 400), "D32") // too old
}

// Whoever can write to the store alone can make no rule.
func TestWhoWritesToTheStoreMakesNoRule(t *testing.T) {
	cases := map[string]struct {
		attack func(s signed, old, now revisions.Revision)
		fresh  string // what a machine says that never saw the log
		known  string // what one says that followed it before
	}{
		"another bundle under the digest": {func(s signed, _, now revisions.Revision) {
			b, _ := policies.Pack("")
			s.overwrite(policyBundleKey(now.Bundle), b)
		}, "D32", "D07"}, // it has its own copy
		"a bundle that is gone": {func(s signed, _, now revisions.Revision) {
			if err := s.store().Delete(s.t.Context(), policyBundleKey(now.Bundle)); err != nil {
				s.t.Fatal(err)
			}
		}, "D32", "D07"},
		"the last entries cut off": {func(s signed, _, _ revisions.Revision) {
			if err := s.store().Delete(s.t.Context(), policyLogKey(5)); err != nil {
				s.t.Fatal(err)
			}
		}, "allow", "D32"}, // only who remembers can notice
		"an entry cut out": {func(s signed, _, _ revisions.Revision) {
			if err := s.store().Delete(s.t.Context(), policyLogKey(3)); err != nil {
				s.t.Fatal(err)
			}
		}, "D32", "D32"},
		"the whole log gone": {func(s signed, _, _ revisions.Revision) {
			for i := range int64(5) {
				if err := s.store().Delete(s.t.Context(), policyLogKey(i+1)); err != nil {
					s.t.Fatal(err)
				}
			}
		}, "D32", "D32"},
		"the older approval once more": {func(s signed, _, _ revisions.Revision) {
			log, err := s.policyLog(s.t.Context())
			if err != nil {
				s.t.Fatal(err)
			}
			e, err := revisions.ParseEntry(log[2])
			if err != nil {
				s.t.Fatal(err)
			}
			s.overwrite(policyLogKey(6), e.Encode(s.standing()))
		}, "D07", "D07"},
		"an approval by a stranger": {func(s signed, old, _ revisions.Revision) {
			st := s.standing()
			r := old
			r.Number, r.Follows = 3, mustHead(st)
			_, ada := officer("Ada")
			_, mallory := officer("Mallory")
			s.overwrite(policyLogKey(6), revisions.Propose(r, ada, noon).Encode(st))
			s.overwrite(policyLogKey(7), revisions.Approve(r, "Ben", mallory, noon).Encode(s.standing()))
		}, "D07", "D07"},
		"an entry overwritten": {func(s signed, _, _ revisions.Revision) { s.overwrite(policyLogKey(5), []byte("{}")) }, "D32", "D32"},
		"a log of one's own": {func(s signed, old, _ revisions.Revision) {
			mallory, mkey := officer("Mallory")
			twin, tkey := officer("Mallory's other hat")
			log := [][]byte{revisions.Pin([]weir.Signer{mallory, twin}).Encode(revisions.Standing{})}
			r := old
			r.Author, r.Follows, r.SignedBy = "Mallory", "", revisions.SignersDigest([]weir.Signer{mallory, twin})
			for _, e := range []revisions.Entry{revisions.Propose(r, mkey, noon), revisions.Approve(r, twin.Name, tkey, noon)} {
				st, err := revisions.Fold("shop", log)
				if err != nil {
					s.t.Fatal(err)
				}
				log = append(log, e.Encode(st))
			}
			for i, b := range log {
				s.overwrite(policyLogKey(int64(i)+1), b)
			}
			for i := len(log); i < 5; i++ {
				_ = s.store().Delete(s.t.Context(), policyLogKey(int64(i)+1))
			}
		}, string(weir.Invalid), "D32"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := signing(t)
			old := s.publish("", nil)
			now := s.publish(stricter(t, 7), nil)
			s.expect(noon, "D07") // and remembers it
			memory := s.Memory
			c.attack(s, old, now)
			s.expect(noon, c.known)
			if s.Memory = t.TempDir(); c.fresh != "" {
				s.expect(noon, c.fresh)
			}
			s.Memory = memory
		})
	}
}

func mustHead(s revisions.Standing) string { follows, _ := s.Head(); return follows }

// weir.yaml can't change who signs: two of those who do have to agree.
func TestSignersArePinned(t *testing.T) {
	s := signing(t)
	s.publish("", nil)
	s.deliver()
	ada, adaKey := officer("Ada")
	ben, _ := officer("Ben")
	mallory, _ := officer("Mallory")
	for name, list := range map[string][]weir.Signer{"another": {ada, mallory}, "more": {ada, ben, mallory}, "none": nil} {
		s.project.Signers = list
		s.expect(noon, string(weir.Invalid))
		// As with rules that can't be used: nobody is added, and who may stay stays.
		if row, _ := s.deliver(); row.Status != Partial || !strings.Contains(row.Error, "weir.yaml") {
			t.Errorf("%s: %s %s", name, row.Status, row.Error)
		}
		s.holds(map[string]string{"a@x.org": "p1 a@x.org Ann"})
	}
	s.project.Signers = []weir.Signer{ben, ada} // in another order: the same
	s.expect(noon, "allow")
	s.project.Signers = []weir.Signer{ada, mallory}
	prepared, err := s.PreparePolicy(t.Context(), s.project, PolicyDraft{Kind: revisions.Signers, EffectiveAt: noon, Author: "Ada"}, noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.record(nil, revisions.Propose(prepared.Revision, adaKey, noon))
	if err := s.approve(prepared.Revision, "Mallory"); err == nil {
		t.Error("the new signer approved herself")
	}
	s.expect(noon, string(weir.Invalid))
	if err := s.approve(prepared.Revision, "Ben"); err != nil {
		t.Fatal(err)
	}
	s.expect(noon, "allow")
	s.project.Signers = []weir.Signer{ada, ben}
	s.expect(noon, string(weir.Invalid))
}
