package weir

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Decision is a row of consent.decisions: may this profile's row go there, now?
// An unchanged decision is not repeated.
type Decision struct {
	ID         string    `parquet:"decision_id" json:"decision_id"`
	RunID      RunID     `parquet:"run_id" json:"run_id"`
	Activation string    `parquet:"activation" json:"activation"`
	ProfileID  string    `parquet:"profile_id" json:"profile_id"`
	ClassID    string    `parquet:"class_id" json:"class_id"`
	Allow      bool      `parquet:"allow" json:"allow"`
	At         time.Time `parquet:"at,timestamp(microsecond)" json:"at"`
	ValidUntil time.Time `parquet:"valid_until,optional,timestamp(microsecond)" json:"valid_until"`
}

// DecisionClass is a row of consent.classes: one distinct combination of what
// the policy reads, with the decision that it gave. Inputs hold no address and
// no name.
type DecisionClass struct {
	ID             string   `parquet:"class_id" json:"class_id"`
	Activation     string   `parquet:"activation" json:"activation"`
	PolicyRevision string   `parquet:"policy_revision" json:"policy_revision"`
	Inputs         string   `parquet:"inputs" json:"inputs"` // canonical JSON
	Allow          bool     `parquet:"allow" json:"allow"`
	Basis          string   `parquet:"basis" json:"basis"`
	Reasons        []string `parquet:"reasons,list" json:"reasons"`
	Obligations    string   `parquet:"obligations" json:"obligations"` // canonical JSON
	Rules          []string `parquet:"rules,list" json:"rules"`
}

// Op is what a delivery does to the destination's row.
type Op string

// The operations. A removal carries the key alone and asks no policy (invariant 7).
const (
	Add    Op = "add"
	Update Op = "update"
	Remove Op = "remove"
)

// DeliveryState is a row of activation.state: what the destination now holds.
type DeliveryState struct {
	Activation   string    `parquet:"activation" json:"activation"`
	ProfileID    string    `parquet:"profile_id" json:"profile_id"`
	DeliveredKey string    `parquet:"delivered_key" json:"delivered_key"`
	Checksum     string    `parquet:"checksum" json:"checksum"` // of the fields sent
	DeliveredAt  time.Time `parquet:"delivered_at,timestamp(microsecond)" json:"delivered_at"`
	Sequence     int64     `parquet:"sequence" json:"sequence"` // grows with each delivery to this profile
	KeyDigest    int64     `parquet:"key_digest" json:"key_digest"`
	RowDigest    int64     `parquet:"row_digest" json:"row_digest"`
}

// Digested is the row with its digests: see DeliveryDigests.
func (s DeliveryState) Digested() DeliveryState {
	s.KeyDigest, s.RowDigest = DeliveryDigests(s.ProfileID, s.DeliveredKey, s.Checksum)
	return s
}

// Delivery is a row of activation.deliveries: one row sent (or tried), with the
// destination's reply.
type Delivery struct {
	ID           string    `parquet:"delivery_id" json:"delivery_id"` // also the idempotency key
	RunID        RunID     `parquet:"run_id" json:"run_id"`
	Activation   string    `parquet:"activation" json:"activation"`
	Destination  string    `parquet:"destination" json:"destination"`
	ProfileID    string    `parquet:"profile_id" json:"profile_id"`
	DeliveredKey string    `parquet:"delivered_key" json:"delivered_key"`
	Op           Op        `parquet:"op" json:"op"`
	DecisionID   string    `parquet:"decision_id" json:"decision_id"` // "" for a removal
	Checksum     string    `parquet:"checksum" json:"checksum"`
	Sequence     int64     `parquet:"sequence" json:"sequence"`
	Status       string    `parquet:"status" json:"status"` // delivered, rejected (dead letter), stopped (recheck), redriven
	Attempts     int32     `parquet:"attempts" json:"attempts"`
	Reply        string    `parquet:"reply" json:"reply"`
	At           time.Time `parquet:"at,timestamp(microsecond)" json:"at"`
	Channel      string    `parquet:"channel" json:"channel"` // the activation's; "" of a removal of an activation that is gone, and in old rows
}

// AudienceRow is a row of activation.audience: what an activation's destination
// should hold of one profile, as decided. What to send is the difference to
// activation.state.
type AudienceRow struct {
	Activation string    `parquet:"activation" json:"activation"`
	ProfileID  string    `parquet:"profile_id" json:"profile_id"`
	Key        string    `parquet:"delivered_key" json:"delivered_key"`
	Fields     string    `parquet:"fields" json:"fields"`     // canonical JSON of the values to send
	Checksum   string    `parquet:"checksum" json:"checksum"` // of Fields
	ClassID    string    `parquet:"class_id" json:"class_id"`
	DecisionID string    `parquet:"decision_id" json:"decision_id"`
	ValidUntil time.Time `parquet:"valid_until,optional,timestamp(microsecond)" json:"valid_until"` // zero: no end
	KeyDigest  int64     `parquet:"key_digest" json:"key_digest"`
	RowDigest  int64     `parquet:"row_digest" json:"row_digest"`
}

// Digested is the row with its digests: see DeliveryDigests.
func (r AudienceRow) Digested() AudienceRow {
	r.KeyDigest, r.RowDigest = DeliveryDigests(r.ProfileID, r.Key, r.Checksum)
	return r
}

// DeliveryDigests stand for the texts by which what should be held is compared
// with what is held, so that these are read of rows that differ alone. Each is the
// first 8 bytes of a SHA-256: of the key, and of profile, key and checksum. Two
// rows count as the same where both are equal. That a row which changed does so
// takes 2^-64 where the key stayed, 2^-128 where it didn't. Neither is 0, which
// rows of an older version have.
func DeliveryDigests(profileID, key, checksum string) (ofKey, ofRow int64) {
	b := make([]byte, 0, 256)
	b = append(append(append(append(append(b, profileID...), 0), key...), 0), checksum...)
	return digest(b[len(profileID)+1 : len(profileID)+1+len(key)]), digest(b)
}

func digest(b []byte) int64 {
	sum := sha256.Sum256(b)
	if n := int64(binary.BigEndian.Uint64(sum[:8])); n != 0 {
		return n
	}
	return 1
}
