// Package vault keeps one random salt for each person of the consent ledger, and
// destroys it for good.
//
// Salts lie outside of tables and their snapshots, as plain objects: 256 shards by a
// hash of the address, each a sorted list of 48 bytes a person with a checksum. A
// change writes a shard's next version and deletes the ones before, so that a reader
// sees a whole shard, and a destroyed salt is in no object of the store. (It may be
// in backups, and in old versions of a bucket that keeps them: see docs/consent.md.)
//
// Salts are of an address (KIND:VALUE), not of a profile: profiles merge and split,
// the address that a statement was made for does not. Erasing a person destroys the
// salts of all of their addresses.
//
// Invariants: what Ensure has returned for survives a crash, before anything is
// sealed under it; of two processes that change a shard at once, neither loses a
// salt, since a version is created by one of them only.
//
// Neighbours: policies/ledger derives keys from salts; stages appends and forgets.
package vault
