// Package index keeps what a run of segment read, laid out by profile, so that the
// next run under the same definitions computes only the profiles that something
// happened to.
//
// # What is kept
//
// By partition of profiles: People (ids, kinds, and the attributes that some rule
// reads), blocks of events, cut to what some definition may read of them now or later
// (package segment writes and opens blocks), and Seen, the hashes of the identifiers by
// which events found their profile or could have found another. Blocks name a profile by
// its number, which it keeps for as long as the index lives; new events are new
// blocks, so the blocks only grow. The Manifest lists the objects, and the files of
// the tables that they tell of.
//
// # Invariants
//
// Equal contents give equal bytes. What is cut short, or of another Version, is an
// error, never other contents; who keeps the bytes adds a checksum. Version must
// change with whatever is written here, and with what it means.
//
// Neighbours: package segment writes and reads it;
// docs/adr/20261123-incremental-segments.md says why it is as it is.
package index
