// Package permit names what a destination's Deliver takes: rows that the gate
// has admitted. A batch with rows is minted by package policies alone; here are
// only the names, so that connectors need not import OPA (invariant 6).
package permit

import "github.com/weir-cdp/weir/policies/internal/mint"

// Batch is rows admitted by the gate, of one activation and one consent class.
// Its zero value holds no row, and no other package can put one in.
type Batch = mint.Batch

// Row is one admitted row of a batch.
type Row = mint.Row

// Field is one named value of a row.
type Field = mint.Field

// Decimal is an exact number's text.
type Decimal = mint.Decimal

// What a destination may declare that it carries out (connectors.Capabilities), where
// the policy demands it of a batch.
const (
	// PartitionByClass: rows of one consent class are written apart from others, by
	// the batch's ClassID.
	PartitionByClass = "partition_by_class"
	// IncludeOptOutLink: the field OptOutLinkField, which the gate fills, goes out.
	IncludeOptOutLink = "include_optout_link"
)

// OptOutLinkField is the field that carries a row's opt-out link.
const OptOutLinkField = "optout_link"
