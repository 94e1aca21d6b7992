// Package resolve finds which records are the same person or company, and names
// the profiles.
//
// # Steps
//
//	read         one task a file: keys, held identifiers, what was seen together
//	match        by key: records that share a value; values that may be hubs
//	partition    one task, record ids and numbers only: clusters, profile ids
//	             writes identity.edges, identity.links, identity.merges
//	own          by record: the profile of each identifier that a record holds
//	attribute    by value: the profile of each value; what no record holds
//	place        one task, hashes only: anonymous profiles
//	             writes identity.merges
//	identifiers  by value: writes identity.identifiers
//	belong       by value: the account that each value of a person leads to
//	accounts     by person: writes identity.accounts
//
// The algorithms are the sub-packages, which know no Beam: evidence (what records
// tell), cluster (the partition), stableid (the names), anonymous (values without
// a record), explain (paths over the edges). A probabilistic model adds a step
// that sends scored pairs to partition as groups of two.
//
// # Invariants
//
// Equal inputs give equal tables, whatever the order and cut of records and files
// (invariant 11). A profile keeps its id (invariant 4). The only tasks that see
// everything hold ids and hashes, no identifier and no attribute.
//
// # Memory
//
// The partition task holds ids, hashes and numbers: a million records with three
// identifiers each peak at 0.6 GB for the whole process, the engine's buffers and
// two match tasks included. A value's block is held whole by its match task.
package resolve
