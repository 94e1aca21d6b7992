// Package stableid names clusters so that a profile keeps its id (invariant 4).
//
// A new profile's id is a hash of the workspace and of its smallest record id,
// so the same data from the same prior state gives the same ids on any machine.
// With prior ids, clusters and prior ids are paired greedily: the pair that
// shares most records first; then the one whose shared records hold the record
// that the id was derived from; then the smaller id; then the cluster with the
// smaller record. A prior id goes to one cluster at most, a cluster keeps one
// id at most. An id that ever was is never given to another profile: a new id
// that is taken is derived again with the next salt.
//
// A merge that is undone gives ids back (invariant 5): a cluster that comes out of
// a profile without keeping its id takes the id that was merged into that profile
// and of whose members it holds more than half.
//
// What became of every prior id is a Change:
//
//   - merge: the id is gone, all its records are in To
//   - redirect: the id is gone and its records are in several; To holds most
//   - split: some of the id's records are now in To, and the id lives on, or is
//     redirected elsewhere; To is new, or lives again
//   - retire: the id is gone with all its records
//
// Following merge and redirect from any id ends at a living one or at a retire:
// see History. The members are records for profiles of records, and identifier
// values for anonymous profiles.
package stableid
