// Package resolve finds which records are the same person or company, and names
// the profiles.
//
// # Steps
//
//	read         one task a file: keys, held identifiers, what was seen together
//	match        by key: records that share a value; values that may be hubs
//	count        by blocking key: which keys bring records together, which too many
//	scatter      by record: its place, or what is compared of it, goes to its blocks
//	score        by blocking key: pairs that the model finds the same
//	partition    one task, record ids and numbers, and of components that a score
//	             connects what is compared: clusters, profile ids
//	             writes identity.edges, identity.links, identity.merges
//	own          one task: passes the profile of each record on
//	attribute    by value: the profile of each value; what no record holds
//	             writes identity.identifiers where a record holds every value
//	place        one task, hashes only: anonymous profiles
//	             writes identity.merges
//	identifiers  by value: writes the rest of identity.identifiers
//	belong       by value: the account that each value of a person leads to
//	accounts     by person: writes identity.accounts
//
// The algorithms are the sub-packages, which know no Beam: evidence (what records
// tell), cluster (the partition), stableid (the names), anonymous (values without
// a record), explain (paths over the edges). The model is compare
// (levels of agreement), model (the artefact and its scores), train (how it is
// learned) and block (which pairs meet). Without one, count, scatter and score do
// nothing.
//
// Training is a pipeline of its own, sample, plan, gather and learn, that the stage
// runs first where the store has no model for the project's settings.
//
// A full run leaves an index (package index), and the next run goes on from it where
// little changed: the pipeline Increment, in the files increment.go, increase.go and
// those that begin with re-.
//
// # Invariants
//
// Equal inputs give equal tables, whatever the order and cut of records and files
// (invariant 11). A profile keeps its id (invariant 4). The only tasks that see
// everything hold ids and hashes, and no identifier or attribute but those that
// the model compares of records in components of three or more (package cluster,
// the second look).
//
// # Memory
//
// The partition task holds ids, hashes and numbers: a million records with three
// identifiers each peak at 0.6 GB for the whole process, the engine's buffers and
// two match tasks included. A value's block is held whole by its match task.
package resolve
