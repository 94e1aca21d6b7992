package weir

import "time"

// Signer is a person whose signature counts for policies: `signers` of weir.yaml.
type Signer struct {
	Name string `json:"name"`
	Key  string `json:"key"` // "ed25519:" and the public key in base64
}

// PolicyRecord is a row of consent.policies: one thing that became of a revision of
// the policy. Rows are only added.
type PolicyRecord struct {
	Number      int64     `parquet:"revision" json:"revision"`
	Event       string    `parquet:"event" json:"event"` // PolicyProposed, PolicyApproved or PolicyRejected
	Kind        string    `parquet:"kind" json:"kind"`   // policy, rollback or signers
	State       string    `parquet:"state" json:"state"` // shadow or enforce; "" of signers
	Policy      string    `parquet:"policy_revision" json:"policy_revision"`
	Digest      string    `parquet:"digest" json:"digest"` // of all that is signed
	Bundle      string    `parquet:"bundle_digest" json:"bundle_digest"`
	Tests       string    `parquet:"tests_digest" json:"tests_digest"`
	WhatIf      string    `parquet:"whatif_digest" json:"whatif_digest"`
	Restores    int64     `parquet:"restores" json:"restores"` // of a rollback
	Author      string    `parquet:"author" json:"author"`
	By          string    `parquet:"signed_by" json:"signed_by"` // whose signature made this event
	Reason      string    `parquet:"reason" json:"reason"`
	EffectiveAt time.Time `parquet:"effective_at,timestamp(microsecond)" json:"effective_at"`
	At          time.Time `parquet:"at,timestamp(microsecond)" json:"at"`
	Sequence    int64     `parquet:"sequence" json:"sequence"` // in the log
}

// What becomes of a revision of the policy.
const (
	PolicyProposed = "proposed"
	PolicyApproved = "approved"
	PolicyRejected = "rejected"
)
