package weir

import "time"

// Edge is a row of identity.edges: one piece of evidence that two records are
// the same. Left < Right.
type Edge struct {
	Left         string  `parquet:"left_record_id" json:"left_record_id"`
	Right        string  `parquet:"right_record_id" json:"right_record_id"`
	Rule         string  `parquet:"rule" json:"rule"` // same_<identifier>, or a rule's own name
	ModelVersion string  `parquet:"model_version" json:"model_version"`
	Weight       float64 `parquet:"weight" json:"weight"`           // log2 odds; of a rule, its configured strength
	Probability  float64 `parquet:"probability" json:"probability"` // 0 to 1
	Used         bool    `parquet:"used" json:"used"`
	RefusedBy    string  `parquet:"refused_by" json:"refused_by"` // the constraint, when not used
}

// Link is a row of identity.links: which profile a record belongs to.
type Link struct {
	RecordID  string `parquet:"record_id" json:"record_id"`
	ProfileID string `parquet:"profile_id" json:"profile_id"`
}

// IdentifierOwner is a row of identity.identifiers. An ambiguous value (on
// several profiles, blocked, or a hub) leads nowhere.
type IdentifierOwner struct {
	Kind      string `parquet:"kind" json:"kind"`
	Value     string `parquet:"value" json:"value"`
	ProfileID string `parquet:"profile_id" json:"profile_id"` // "" when ambiguous
	Ambiguous bool   `parquet:"ambiguous" json:"ambiguous"`
}

// AccountLink is a row of identity.accounts: a person belongs to an account.
type AccountLink struct {
	ProfileID string `parquet:"profile_id" json:"profile_id"` // the person
	AccountID string `parquet:"account_profile_id" json:"account_profile_id"`
	By        string `parquet:"linked_by" json:"linked_by"` // an identifier's kind, or EmailDomain
	Value     string `parquet:"value" json:"value"`
}

// Merge is a row of identity.merges: how profile ids changed. Following
// From to To from any id that ever existed ends at a living profile or a retire.
type Merge struct {
	RunID  RunID     `parquet:"run_id" json:"run_id"`
	At     time.Time `parquet:"at,timestamp(microsecond)" json:"at"`
	Change string    `parquet:"change" json:"change"` // merge, split, redirect, retire
	From   string    `parquet:"from_profile_id" json:"from_profile_id"`
	To     string    `parquet:"to_profile_id" json:"to_profile_id"`
	Reason string    `parquet:"reason" json:"reason"`
	Author string    `parquet:"author" json:"author"` // "" for the engine
}

// IdentityDecision is a row of identity.decisions: what a person decided about
// records, one row for each record that the decision names. Rows are only added: a
// decision ends by another that withdraws it.
type IdentityDecision struct {
	ID       string    `parquet:"decision_id" json:"decision_id"`
	RecordID string    `parquet:"record_id" json:"record_id"`   // "" with withdrawn
	Change   string    `parquet:"change" json:"change"`         // DecidedApart, DecidedTogether or DecidedWithdrawn
	Side     string    `parquet:"side" json:"side"`             // SideStays or SideMoves, with apart
	Profile  string    `parquet:"profile_id" json:"profile_id"` // the record's, when it was decided
	Undoes   string    `parquet:"undoes" json:"undoes"`         // with withdrawn: the decision that ends
	Reason   string    `parquet:"reason" json:"reason"`
	Author   string    `parquet:"author" json:"author"`
	At       time.Time `parquet:"at,timestamp(microsecond)" json:"at"` // of two decisions about the same two records the later counts
}

// What a decision does, and the sides of one that sets records apart.
const (
	DecidedApart     = "apart"
	DecidedTogether  = "together"
	DecidedWithdrawn = "withdrawn"

	SideStays = "stays"
	SideMoves = "moves"
)

// RecordMove is a row of identity.moves: a record that was of one profile is of
// another. A record's first profile is no move.
type RecordMove struct {
	RunID    RunID     `parquet:"run_id" json:"run_id"`
	At       time.Time `parquet:"at,timestamp(microsecond)" json:"at"`
	RecordID string    `parquet:"record_id" json:"record_id"`
	From     string    `parquet:"from_profile_id" json:"from_profile_id"`
	To       string    `parquet:"to_profile_id" json:"to_profile_id"`
}

// IdentityFigure is a row of identity.runs: one measure of one run of resolve, of
// all records or of a part of them.
type IdentityFigure struct {
	RunID   RunID     `parquet:"run_id" json:"run_id"`
	At      time.Time `parquet:"at,timestamp(microsecond)" json:"at"`
	Kind    string    `parquet:"kind" json:"kind"`       // person or account; "" of both
	Source  string    `parquet:"source" json:"source"`   // "" of all
	Rule    string    `parquet:"rule" json:"rule"`       // "" of all
	Measure string    `parquet:"measure" json:"measure"` // see the table's columns
	Figure  int64     `parquet:"figure" json:"figure"`
}

// Candidate is a row of identity.candidates: a pair whose score is so near the
// threshold that a person's answer tells most.
type Candidate struct {
	Left        string  `parquet:"left_record_id" json:"left_record_id"`
	Right       string  `parquet:"right_record_id" json:"right_record_id"`
	Kind        Kind    `parquet:"kind" json:"kind"`
	Weight      float64 `parquet:"weight" json:"weight"`           // log2 odds
	Probability float64 `parquet:"probability" json:"probability"` // 0 to 1
	Linked      bool    `parquet:"linked" json:"linked"`           // in one profile now, by whatever evidence
}

// IdentityModel is a row of identity.models: a trained model, and whether the
// current edges are its.
type IdentityModel struct {
	Version   string    `parquet:"model_version" json:"model_version"`
	Kind      Kind      `parquet:"kind" json:"kind"`
	RunID     RunID     `parquet:"run_id" json:"run_id"` // the first that used it
	At        time.Time `parquet:"at,timestamp(microsecond)" json:"at"`
	Current   bool      `parquet:"current" json:"current"`
	Records   int64     `parquet:"records" json:"records"`     // there were when it was trained
	Sample    int64     `parquet:"sample" json:"sample"`       // it was trained on
	Threshold float64   `parquet:"threshold" json:"threshold"` // log2 odds
	Artefact  string    `parquet:"artefact" json:"artefact"`   // JSON
}

// Profile is a row of core.profiles, where each attribute is a column of its
// own: the golden record of one person or account.
type Profile struct {
	ID          string            `json:"profile_id"`
	Kind        Kind              `json:"kind"`
	Attributes  map[string]string `json:"attributes"` // canonical text
	Identifiers Identifiers       `json:"identifiers"`
	FirstSeenAt time.Time         `json:"first_seen_at"`
	LastSeenAt  time.Time         `json:"last_seen_at"`
	Records     int64             `json:"records"`
}

// Lineage is a row of core.lineage: which record gave a profile's field its
// value, by which rule, and when it was observed.
type Lineage struct {
	ProfileID  string    `parquet:"profile_id" json:"profile_id"`
	Field      string    `parquet:"field" json:"field"`
	ValueHash  string    `parquet:"value_hash" json:"value_hash"`
	RecordID   string    `parquet:"record_id" json:"record_id"`
	Rule       string    `parquet:"rule" json:"rule"`
	ObservedAt time.Time `parquet:"observed_at,optional,timestamp(microsecond)" json:"observed_at"`
}
