package weir

import "time"

// LedgerEntry is a row of consent.ledger: one thing that became known about one
// consent statement, for good. What names the person is in Sealed alone, under a key
// that ends when the person's salt is destroyed; Who and Statement then are random
// numbers that nobody can trace.
type LedgerEntry struct {
	Entry          int64        `parquet:"entry" json:"entry"` // counts from 1, without gaps
	Batch          int64        `parquet:"batch" json:"batch"`
	Change         LedgerChange `parquet:"change" json:"change"`
	Statement      string       `parquet:"statement" json:"statement"` // the consent_id, hashed with the person's salt
	Who            string       `parquet:"who" json:"who"`             // the address, as a pseudonym
	Kind           string       `parquet:"identifier_kind" json:"identifier_kind"`
	Purpose        string       `parquet:"purpose" json:"purpose"`
	Channel        string       `parquet:"channel" json:"channel"`
	Action         Action       `parquet:"action" json:"action"`
	Basis          string       `parquet:"basis" json:"basis"`
	Explicit       bool         `parquet:"explicit" json:"explicit"`
	Jurisdiction   string       `parquet:"jurisdiction" json:"jurisdiction"`
	Notice         string       `parquet:"notice" json:"notice"`
	NoticeHash     string       `parquet:"notice_hash" json:"notice_hash"`
	Method         string       `parquet:"method" json:"method"`
	OccurredAt     time.Time    `parquet:"occurred_at,optional,timestamp(microsecond)" json:"occurred_at"`
	RecordedAt     time.Time    `parquet:"recorded_at,optional,timestamp(microsecond)" json:"recorded_at"`
	ExpiresAt      time.Time    `parquet:"expires_at,optional,timestamp(microsecond)" json:"expires_at"`
	Source         string       `parquet:"source" json:"source"`
	Stream         string       `parquet:"stream" json:"stream"`
	MappingVersion string       `parquet:"mapping_version" json:"mapping_version"`
	Supersedes     int64        `parquet:"supersedes" json:"supersedes"` // the entry that it replaces; 0: none
	Sealed         string       `parquet:"sealed" json:"sealed"`         // address, key, proof, raw signal and actor: AES-GCM, base64
	Commitment     string       `parquet:"commitment" json:"commitment"` // keyed hash of what was said
	Author         string       `parquet:"author" json:"author"`         // of LedgerForgotten: who decided it
	Reason         string       `parquet:"reason" json:"reason"`         // of LedgerForgotten: why
	LeafHash       string       `parquet:"leaf_hash" json:"leaf_hash"`   // RFC 6962, of all other columns
}

// LedgerChange is what an entry of the ledger says about a statement.
type LedgerChange string

// The changes.
const (
	LedgerStated    LedgerChange = "stated"    // a source says it, for the first time or again
	LedgerRestated  LedgerChange = "restated"  // it says something else now: at the source, or by another mapping
	LedgerGone      LedgerChange = "gone"      // the source no longer says it
	LedgerForgotten LedgerChange = "forgotten" // the person's salt was destroyed: what is sealed can't be read any more
)

// LedgerBatch is a row of consent.batches: entries that became visible together.
// Each covers the one before through Previous, so that the last Chain vouches for
// the whole ledger.
type LedgerBatch struct {
	Number   int64     `parquet:"batch" json:"batch"` // counts from 1, without gaps
	First    int64     `parquet:"first_entry" json:"first_entry"`
	Count    int64     `parquet:"entries" json:"entries"`
	Root     string    `parquet:"root" json:"root"`         // Merkle tree hash of the leaves, RFC 6962
	Previous string    `parquet:"previous" json:"previous"` // Chain of the batch before; "" of the first
	Chain    string    `parquet:"chain" json:"chain"`
	RunID    RunID     `parquet:"run_id" json:"run_id"`
	At       time.Time `parquet:"at,timestamp(microsecond)" json:"at"`
}
