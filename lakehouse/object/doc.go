// Package object is the lake's object store: one bucket and prefix of an
// S3-compatible service, behind keys that are relative to the prefix.
//
// Invariants: a key never leaves the prefix (it has no empty, "." or ".." part),
// and this package is the only one that knows the prefix; an object appears
// whole or not at all; every error carries a weir code. Requests are retried
// with back-off on answers 5xx and on connection errors, for as long as the
// context lives and at most Retries times.
//
// Neighbours: rowfile writes and reads Parquet through it, lakehouse commits what
// it holds. The embedded gateway keeps each object as a plain file; where
// Config.LocalDir says where, reads go straight to those files, writes never do.
package object
