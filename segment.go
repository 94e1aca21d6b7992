package weir

import "time"

// TraitValue is a row of core.traits: one computed value of one profile. Exactly
// one of Number, Text and Time is set; an unknown value has no row.
type TraitValue struct {
	ProfileID string    `parquet:"profile_id" json:"profile_id"`
	Trait     string    `parquet:"trait" json:"trait"`
	Number    string    `parquet:"number,optional" json:"number"` // decimal text; decimal(38,9) in the table
	Text      string    `parquet:"text,optional" json:"text"`
	Time      time.Time `parquet:"time,optional,timestamp(microsecond)" json:"time"`
}

// Membership is a row of segment.memberships: current members only.
type Membership struct {
	Segment   string    `parquet:"segment" json:"segment"`
	ProfileID string    `parquet:"profile_id" json:"profile_id"`
	EnteredAt time.Time `parquet:"entered_at,timestamp(microsecond)" json:"entered_at"` // the run's now
}

// MembershipChange is a row of segment.changes.
type MembershipChange struct {
	Segment   string    `parquet:"segment" json:"segment"`
	ProfileID string    `parquet:"profile_id" json:"profile_id"`
	Change    string    `parquet:"change" json:"change"` // enter, exit
	At        time.Time `parquet:"at,timestamp(microsecond)" json:"at"`
	RunID     RunID     `parquet:"run_id" json:"run_id"`
	Cause     string    `parquet:"cause" json:"cause"` // data, definition, profile (merged, split, gone)
}
