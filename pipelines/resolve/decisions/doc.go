// Package decisions says what the decisions of people about records come to
// (invariant 5): which records have to stay apart, and which belong together.
//
// A decision names records. Together says of each two of them that they are one
// person; apart says of each record that moves and each that stays that they are
// two. A withdrawal ends a decision, and a withdrawal that is withdrawn gives it
// back in its old place: nothing is ever deleted.
//
// Decisions may contradict each other. For any two records the latest standing
// decision that names them both counts, and no other:
//
//   - a later together takes its pairs out of an earlier apart, and leaves its
//     other pairs;
//   - a later apart takes the records that move out of an earlier together; the
//     others stay together.
//
// So the outcome depends on the decisions alone, not on what the runs between them
// made of the records.
//
// The package is pure. Neighbours: package cluster takes the outcome as
// constraints (apart) and as evidence above all other (together).
package decisions
