// Package mint makes what destinations may deliver. Go's rule for internal
// folders lets only packages below policies/ import it, so that nothing else in
// the program, and nothing outside of it, can make a batch that holds rows
// (invariant 6). Package permit gives everybody the types' names.
package mint

import (
	"time"

	"github.com/weir-cdp/weir"
)

// Row is one admitted row. A removal has a key and no fields.
type Row struct {
	Op         weir.Op
	Key        string
	Fields     []Field // sorted by name
	ProfileID  string
	DecisionID string // "" of a removal
	// IdempotencyKey is the delivery's id: the same for every try of this row.
	IdempotencyKey string
	Sequence       int64
}

// Field is one value sent: string, int64, decimal text as Decimal, bool,
// time.Time or nil.
type Field struct {
	Name  string
	Value any
}

// Decimal is an exact number's text; JSON destinations write it as a number.
type Decimal string

// Batch is rows that the gate has admitted, of one activation and one consent
// class. Its zero value holds no row.
type Batch struct {
	activation  string
	run         weir.Run
	class       string
	revision    string
	validUntil  time.Time
	obligations map[string]string
	rows        []Row
}

// Batched is what New needs beside the rows.
type Batched struct {
	Activation     string
	Run            weir.Run
	ClassID        string // "" for removals
	PolicyRevision string
	ValidUntil     time.Time // zero: no end
	Obligations    map[string]string
}

// New makes a batch. Only the gate calls it.
func New(b Batched, rows []Row) Batch {
	return Batch{activation: b.Activation, run: b.Run, class: b.ClassID, revision: b.PolicyRevision,
		validUntil: b.ValidUntil, obligations: b.Obligations, rows: rows}
}

// Activation names what is being delivered.
func (b Batch) Activation() string { return b.activation }

// Run is the run that delivers.
func (b Batch) Run() weir.Run { return b.run }

// ClassID is the consent class that all rows share; "" for removals.
func (b Batch) ClassID() string { return b.class }

// PolicyRevision is the revision that admitted the rows.
func (b Batch) PolicyRevision() string { return b.revision }

// ValidUntil is when the permit ends; zero: no end.
func (b Batch) ValidUntil() time.Time { return b.validUntil }

// Obligations are what the destination has to carry out, by name.
func (b Batch) Obligations() map[string]string { return b.obligations }

// Len is the number of rows.
func (b Batch) Len() int { return len(b.rows) }

// Rows are the admitted rows; the caller must not change them.
func (b Batch) Rows() []Row { return b.rows }
