// Package ledger is the arithmetic of the proof of consents: how a statement
// becomes an entry, entries a batch, and batches a chain, and how all of it is
// checked again.
//
// # Entries
//
// An entry is in the clear what may be kept about anybody (purpose, channel, action,
// times, source), and sealed what names the person: the address, the source's key,
// proof, raw signal and actor. All that is derived of a person comes from one random
// salt (Person): the key of the seal, the pseudonym, the hash of a statement's id and
// the commitment to what was said. Destroying the salt leaves random numbers, in every
// snapshot and copy of the table; no secret that Weir keeps can trace them.
//
// # Leaves, roots, chain
//
// A leaf is the RFC 6962 hash of all of an entry's columns, the sealed part as it is
// stored. So the tree is checked without any salt, and verifies after a person was
// forgotten as before. Leaves are salted all the same: what they hash of a person is
// keyed by the salt, so no guess can be tried against them. A batch's record hashes
// the batch before, its number, first entry, count, root, run and time.
//
// # Invariants
//
// Pure: entries in, hashes out; salts, times and batches are arguments (invariants 2
// and 10). What a leaf hashes is fixed by its format's version: a column added later
// needs another version, and old leaves keep theirs.
//
// Neighbours: lakehouse/vault keeps salts; stages appends, verifies and shows;
// policies/consents folds what the entries say.
package ledger
