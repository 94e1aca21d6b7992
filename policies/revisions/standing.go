package revisions

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// Standing is what a log says.
type Standing struct {
	Signers  []weir.Signer // who may sign now; none: nothing was ever published
	Pinned   []weir.Signer // the first list
	Approved []Approved    // in the order of their numbers
	Pending  []Proposal    // neither approved nor rejected, in the order of their numbers
	Sequence int64         // of the last entry
	Last     string        // digest of the last entry
	Highest  int64         // number that was given out
	// Ignored tells of entries that count for nothing, and why.
	Ignored []string
	records []weir.PolicyRecord
}

// Proposal is a revision with its author's signature.
type Proposal struct {
	Revision
	signature *Signature // of the author
	// Overtaken says that another revision was approved since: it can't be approved any
	// more, and has to be made anew.
	Overtaken bool
}

// Proposed is the entry by which it was proposed.
func (p Proposal) Proposed() Entry {
	return Entry{Kind: weir.PolicyProposed, Revision: &p.Revision, Signature: p.signature}
}

// Approved is a revision that two people signed.
type Approved struct {
	Revision
	Approver   string
	ApprovedAt time.Time // of the approver's signature
}

// Fold reads a whole log, the first entry first. An error says that it is not whole:
// nothing of it may be followed.
func Fold(workspace string, log [][]byte) (Standing, error) {
	var s Standing
	for i, b := range log {
		e, err := ParseEntry(b)
		if err != nil {
			return Standing{}, err
		}
		if e.Sequence != int64(i)+1 || e.Previous != s.Last {
			return Standing{}, weir.Errorf(weir.Denied, "the log of policies is not whole: entry %d does not follow the one before", i+1).Then("restore the store from a backup")
		}
		s = s.next(workspace, e, Digest(b))
		if len(s.Signers) == 0 {
			return Standing{}, weir.Errorf(weir.Denied, "the log of policies does not begin with a list of signers that may be used").Then("restore the store from a backup")
		}
	}
	return s, nil
}

// With is the standing after one entry more. An error says why the entry would count
// for nothing.
func (s Standing) With(workspace string, e Entry) (Standing, error) {
	e.Sequence, e.Previous = s.Sequence+1, s.Last
	before := len(s.Ignored)
	s.Ignored = slices.Clip(s.Ignored)
	out := s.next(workspace, e, Digest(e.Encode(s)))
	if len(out.Ignored) > before {
		_, why, _ := strings.Cut(out.Ignored[before], ": ")
		return s, weir.Errorf(weir.Denied, "%s", why).Then("see what stands: weir policy revisions")
	}
	if len(out.Signers) == 0 {
		return s, CheckSigners(e.Signers)
	}
	return out, nil
}

func (s Standing) next(workspace string, e Entry, digest string) Standing {
	s.Sequence, s.Last = e.Sequence, digest
	s.Approved, s.Pending, s.records = slices.Clone(s.Approved), slices.Clone(s.Pending), slices.Clip(s.records)
	if why := s.take(workspace, e); why != "" {
		s.Ignored = append(slices.Clip(s.Ignored), fmt.Sprintf("entry %d: %s", e.Sequence, why))
	}
	return s
}

// take lets an entry count, or says why it does not.
func (s *Standing) take(workspace string, e Entry) string {
	switch {
	case e.Kind == pinned && e.Sequence == 1:
		if err := CheckSigners(e.Signers); err != nil {
			return err.Error()
		}
		s.Signers, s.Pinned = e.Signers, e.Signers
		return ""
	case e.Kind == weir.PolicyProposed && e.Revision != nil:
		return s.propose(workspace, e)
	case e.Kind == weir.PolicyApproved || e.Kind == weir.PolicyRejected:
		return s.settle(e)
	}
	return "it is of no known kind"
}

func (s *Standing) propose(workspace string, e Entry) string {
	r := *e.Revision
	switch {
	case r.Workspace != workspace:
		return fmt.Sprintf("revision %d is for the workspace %q", r.Number, r.Workspace)
	case r.Number <= s.Highest:
		return fmt.Sprintf("revision %d is not new: numbers only grow, and %d was given out", r.Number, s.Highest)
	case e.Signature == nil || !sameName(e.Signature.Name, r.Author):
		return fmt.Sprintf("revision %d is not signed by its author", r.Number)
	case r.SignedBy != SignersDigest(s.Signers):
		return fmt.Sprintf("revision %d is for another list of signers", r.Number)
	}
	if why := verify(asAuthor, r, e.Signature, s.Signers); why != "" {
		return why
	}
	if why := s.sound(r); why != "" {
		return why
	}
	s.Highest = r.Number
	s.Pending = append(s.Pending, Proposal{Revision: r, signature: e.Signature, Overtaken: r.Follows != s.head()})
	s.records = append(s.records, record(weir.PolicyProposed, r, e))
	return ""
}

// sound says what a revision of its kind must hold.
func (s *Standing) sound(r Revision) string {
	holds := r.Bundle != "" && r.Policy != "" && r.Tests != "" && r.WhatIf != "" && !r.EffectiveAt.IsZero()
	switch {
	case r.Kind == Signers:
		if err := CheckSigners(r.Signers); err != nil || r.Bundle != "" || r.State != "" {
			return fmt.Sprintf("revision %d is no list of signers that may be used", r.Number)
		}
	case r.Kind == Policy && holds && (r.State == Enforce || r.State == Shadow):
	case r.Kind == Rollback && holds && r.State == Enforce:
		was, ok := s.Find(r.Restores)
		if !ok || was.Kind == Signers || was.Bundle != r.Bundle || was.Policy != r.Policy {
			return fmt.Sprintf("revision %d restores %d, which was never approved with these rules", r.Number, r.Restores)
		}
	default:
		return fmt.Sprintf("revision %d lacks something that it needs", r.Number)
	}
	return ""
}

// settle approves or rejects.
func (s *Standing) settle(e Entry) string {
	i := slices.IndexFunc(s.Pending, func(p Proposal) bool { return p.Number == e.Number })
	if i < 0 {
		return fmt.Sprintf("revision %d does not wait for an approval", e.Number)
	}
	p := s.Pending[i]
	if p.Digest() != e.Digest {
		return fmt.Sprintf("it is about another revision %d", e.Number)
	}
	if e.Kind == weir.PolicyRejected {
		if why := verify(asRefuser, p.Revision, e.Signature, s.Signers); why != "" {
			return why
		}
		s.Pending = slices.Delete(s.Pending, i, i+1)
		s.records = append(s.records, record(weir.PolicyRejected, p.Revision, e))
		return ""
	}
	if why := s.approvable(p, e); why != "" {
		return why
	}
	approver, _ := find(s.Signers, e.Signature.Name)
	s.Pending = slices.Delete(s.Pending, i, i+1)
	s.Approved = append(s.Approved, Approved{Revision: p.Revision, Approver: approver.Name, ApprovedAt: e.Signature.At})
	if p.Kind == Signers {
		s.Signers = p.Signers
	}
	for j := range s.Pending {
		s.Pending[j].Overtaken = true
	}
	row := record(weir.PolicyApproved, p.Revision, e)
	row.By = approver.Name
	s.records = append(s.records, row)
	return ""
}

func (s *Standing) approvable(p Proposal, e Entry) string {
	if p.Overtaken || p.Follows != s.head() || p.SignedBy != SignersDigest(s.Signers) {
		return fmt.Sprintf("another revision was approved since %d was proposed, so what its reports compare with is gone", p.Number)
	}
	if why := verify(asApprover, p.Revision, e.Signature, s.Signers); why != "" {
		return why
	}
	author, _ := find(s.Signers, p.Author)
	approver, _ := find(s.Signers, e.Signature.Name)
	if sameName(author.Name, approver.Name) || author.Key == approver.Key {
		return fmt.Sprintf("%s proposed revision %d: somebody else has to approve it", p.Author, p.Number)
	}
	return ""
}

// head is the digest of the revision approved last.
func (s *Standing) head() string {
	if len(s.Approved) == 0 {
		return ""
	}
	return s.Approved[len(s.Approved)-1].Digest()
}

// Head is what the next revision follows, and its number.
func (s Standing) Head() (follows string, next int64) { return s.head(), s.Highest + 1 }

// Find gives an approved revision.
func (s Standing) Find(number int64) (Approved, bool) {
	i := slices.IndexFunc(s.Approved, func(a Approved) bool { return a.Number == number })
	if i < 0 {
		return Approved{}, false
	}
	return s.Approved[i], true
}

// Waiting gives a proposal.
func (s Standing) Waiting(number int64) (Proposal, bool) {
	i := slices.IndexFunc(s.Pending, func(p Proposal) bool { return p.Number == number })
	if i < 0 {
		return Proposal{}, false
	}
	return s.Pending[i], true
}

// Ruling is the revision that is enforced at a moment: the last one that is approved and
// effective by then.
func (s Standing) Ruling(now time.Time) (Approved, bool) {
	return s.newest(now, func(a Approved) bool { return a.Kind != Signers && a.State == Enforce })
}

// Shadowing is the revision that is in shadow at a moment: one that came after what
// rules.
func (s Standing) Shadowing(now time.Time) (Approved, bool) {
	ruling, _ := s.Ruling(now)
	return s.newest(now, func(a Approved) bool { return a.State == Shadow && a.Number > ruling.Number })
}

func (s Standing) newest(now time.Time, fits func(Approved) bool) (Approved, bool) {
	for i := len(s.Approved) - 1; i >= 0; i-- {
		if a := s.Approved[i]; fits(a) && !a.EffectiveAt.After(now) {
			return a, true
		}
	}
	return Approved{}, false
}

// Records are the rows of consent.policies, in the order of the log.
func (s Standing) Records() []weir.PolicyRecord { return slices.Clone(s.records) }

func record(event string, r Revision, e Entry) weir.PolicyRecord {
	return weir.PolicyRecord{Number: r.Number, Event: event, Kind: r.Kind, State: r.State, Policy: r.Policy, Digest: r.Digest(), Bundle: r.Bundle, Tests: r.Tests, WhatIf: r.WhatIf,
		Restores: r.Restores, Author: r.Author, By: e.Signature.Name, Reason: r.Reason, EffectiveAt: r.EffectiveAt, At: e.Signature.At, Sequence: e.Sequence}
}

// Remembered is the end of a log that a reader saw before.
type Remembered struct {
	Sequence int64  `json:"sequence"`
	Last     string `json:"last"`
}

// Remember is what to keep of a log.
func (s Standing) Remember() Remembered { return Remembered{Sequence: s.Sequence, Last: s.Last} }

// Continues tells whether a log goes on from what a reader remembers of it; one that
// was cut off or replaced does not.
func (m Remembered) Continues(log [][]byte) bool {
	return m.Sequence == 0 || int64(len(log)) >= m.Sequence && Digest(log[m.Sequence-1]) == m.Last
}
