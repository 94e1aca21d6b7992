package revisions

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// Revision is what two people sign.
type Revision struct {
	Workspace string `json:"workspace"`
	Number    int64  `json:"number"` // from 1
	Kind      string `json:"kind"`
	State     string `json:"state,omitempty"`
	Bundle    string `json:"bundle,omitempty"` // digest of the rules, data, cases and tests
	Policy    string `json:"policy,omitempty"` // that decisions name: policies.Gate.Revision
	Tests     string `json:"tests,omitempty"`  // digest of the test report
	WhatIf    string `json:"whatif,omitempty"` // digest of the what-if report
	Restores  int64  `json:"restores,omitempty"`
	// Signers is the list from then on, of kind Signers.
	Signers     []weir.Signer `json:"signers,omitempty"`
	EffectiveAt time.Time     `json:"effective_at"`
	ProposedAt  time.Time     `json:"proposed_at"`
	Author      string        `json:"author"`
	Reason      string        `json:"reason,omitempty"`
	Follows     string        `json:"follows,omitempty"` // digest of the revision approved last; "" of the first
	SignedBy    string        `json:"signed_by"`         // digest of the list of signers that counts for it
}

// The kinds of a revision.
const (
	Policy   = "policy"
	Rollback = "rollback"
	Signers  = "signers"
)

// The states of one that holds rules.
const (
	Shadow  = "shadow"  // asked beside what rules; its answers are counted, and nothing follows them
	Enforce = "enforce" // rules
)

// canonical is the one encoding of a revision: fields in the order above, times in UTC.
func (r Revision) canonical() []byte {
	r.EffectiveAt, r.ProposedAt = r.EffectiveAt.UTC(), r.ProposedAt.UTC()
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // texts, numbers and times of this era
	}
	return b
}

// Digest names a revision.
func (r Revision) Digest() string { return Digest(r.canonical()) }

// Digest is the SHA-256 of bytes, in hexadecimal.
func Digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// SignersDigest names a list of signers, in whatever order.
func SignersDigest(list []weir.Signer) string {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b weir.Signer) int { return strings.Compare(a.Key+a.Name, b.Key+b.Name) })
	b, err := json.Marshal(list)
	if err != nil {
		panic(err) // texts only
	}
	return Digest(b)
}

// Entry is one line of the log.
type Entry struct {
	Sequence int64  `json:"sequence"`           // from 1
	Previous string `json:"previous,omitempty"` // digest of the entry before, as stored
	Kind     string `json:"kind"`
	// Signers is the list that is pinned, of the first entry.
	Signers   []weir.Signer `json:"signers,omitempty"`
	Revision  *Revision     `json:"revision,omitempty"` // that is proposed
	Number    int64         `json:"number,omitempty"`   // that is approved or rejected
	Digest    string        `json:"digest,omitempty"`   // of it
	Signature *Signature    `json:"signature,omitempty"`
}

// pinned is the kind of the log's first entry; the others are weir.PolicyProposed,
// weir.PolicyApproved and weir.PolicyRejected.
const pinned = "signers"

// Pin is the entry that a log starts with.
func Pin(signers []weir.Signer) Entry { return Entry{Kind: pinned, Signers: signers} }

// Encode is how an entry is stored, as the next one after a standing.
func (e Entry) Encode(after Standing) []byte {
	e.Sequence, e.Previous = after.Sequence+1, after.Last
	b, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return b
}

// ParseEntry reads an entry. Unknown fields are an error: what is not understood is not
// followed.
func ParseEntry(b []byte) (Entry, error) {
	var e Entry
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil || d.More() {
		return e, weir.Errorf(weir.Invalid, "it is not an entry of the log of policies").Then("restore the store from a backup")
	}
	return e, nil
}
