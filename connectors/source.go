package connectors

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
)

// Source reads one configured system. It is safe for concurrent Reads of
// different splits.
type Source interface {
	// Check reaches the system and its credentials; the error says what to do.
	Check(ctx context.Context) error
	// Discover lists what could be read.
	Discover(ctx context.Context) ([]Discovered, error)
	// Plan fixes what one sync of a stream reads: from prior (what the raw table
	// accounts for) to now. It moves no rows.
	Plan(ctx context.Context, stream Stream, prior Prior) (Plan, error)
	// Read sends the rows of one split to out. The same split of the same plan
	// gives the same rows in the same order, so that it can be read again.
	Read(ctx context.Context, stream Stream, plan Plan, split Split, out Sink) error
	Close() error
}

// Session is a source whose splits agree with each other only if all of them
// are read in one session: PostgreSQL's ranges of a table, by one snapshot that
// ends with its connection.
type Session interface {
	Source
	// Begin fixes what this opened Source reads of a plan; Read without Begin
	// begins by itself. The token names the session: a split's result may be kept
	// across a crash under its token only, so that with a new Source, which has a
	// new token, every split of the plan is read again. An empty token says that
	// the plan's splits agree without a session.
	Begin(ctx context.Context, stream Stream, plan Plan) (token string, err error)
}

// Discovered is one table, file pattern or collection of a source.
type Discovered struct {
	Name    string
	Schema  *arrow.Schema // nil if not known before reading
	Key     []string
	Cursors []string // columns that incremental mode could use
	Rows    int64    // estimate; -1 unknown
}

// Stream is one stream of a source file, validated against Connector.Stream.
type Stream struct {
	Name     string
	Settings Settings          // the connector's own keys: path, table, format, …
	Key      []string          // columns
	Types    map[string]string // declared column types: int, decimal(12,2), date, timestamp, boolean, float, text
	Mode     string            // "full" or "incremental"; "" is the connector's default
	Cursor   string            // column, of incremental
	// MayBeEmpty says that the source may well have nothing: then a file without a
	// header, or no file at all, is no mistake.
	MayBeEmpty bool
}

// Prior is what the raw table accounts for, from its last commit.
type Prior struct {
	Cursor string            // what the last Plan's Cursor was; "" at first
	Scopes map[string]string // each held scope and its version: see Split
	Schema *arrow.Schema     // the raw table's columns, without Weir's own; nil at first
}

// Plan is what one sync reads. It is stored, so that a crash resumes it; it must
// hold no row values beyond the cursor.
type Plan struct {
	// Cursor is committed with the rows: at most 4 KiB, never a personal value.
	Cursor string
	Splits []Split
	// Drop lists scopes whose rows are to be removed.
	Drop []string
	// Missing counts the held scopes that the source no longer has, and that keep
	// their rows.
	Missing int64
	// Detail is the connector's own (an exported snapshot's name); may be empty.
	Detail string
}

// Split is a part that is read, written and, after a crash, resumed on its own.
//
// A split with a Scope replaces that scope's rows in the raw table (a file that
// changed, a range of a full read); one without appends. Version tells whether
// a scope has to be read again (an ETag, a snapshot).
type Split struct {
	ID      string // unique in the plan, stable, safe in a file name
	Scope   string
	Version string
	Detail  string // the connector's own: a path, a range
	Bytes   int64  // estimate for progress; 0 unknown
}

// Batch is some rows of one split, in order.
type Batch struct {
	Rows arrow.RecordBatch
	// Origin and Lines say where each row came from: "crm.csv" and 1042, or
	// "public.contacts" and nil.
	Origin string
	Lines  []int64
	// Deleted marks rows that the source says are gone (only the key is
	// meaningful); nil: none.
	Deleted []bool
}

// Rejection is a row, or one value of a row, that could not be used.
type Rejection struct {
	Origin   string // "crm.csv:1042"
	Field    string // "" for the whole row
	Reason   string
	Excerpt  string // at most 200 bytes, valid UTF-8
	Withheld bool   // the row is not in any batch
}

// Sink takes what Read finds, in order. Its errors end the read.
type Sink interface {
	// Write takes ownership of nothing: the batch is released by the caller.
	Write(ctx context.Context, b Batch) error
	Reject(ctx context.Context, r Rejection) error
}
