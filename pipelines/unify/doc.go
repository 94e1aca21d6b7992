// Package unify makes one golden record of each profile: records are joined with
// identity.links and brought together by profile, and survivorship (the
// sub-package) chooses each field's value and says where it came from.
//
// It writes core.profiles and core.lineage whole. Identifiers that no record
// holds (seen in events and consents only) make profiles of kind anonymous;
// those that identity.identifiers gives to a profile with records join the
// identifiers of its records. An anonymous profile has no first and last seen:
// its events are read by segment, not here.
//
// Steps: scatter (records and links by record, identifiers by profile), join
// (records to their profile), golden. A task of golden holds one partition's
// records in memory.
//
// Invariants: the output does not depend on now, nor on the order of the input;
// rows are sorted by key within each file. A record that no link names is left
// out and counted (`unlinked`).
package unify
