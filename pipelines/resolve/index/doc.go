// Package index keeps what a run of resolve found out about its records, so that
// the next run under the same rules and models need not find it out again.
//
// # What is kept
//
// A log of entries, one for each version of a record, and a State. The log is cut
// into chunks, a chunk into sections, each of which is read alone: Heads (who it is,
// and a digest of what was read), Keys (evidence, with tells), Held (identifiers),
// Blocking (the model's keys) and Features (what the model compares). Versions are
// numbered in the order of the log. A record that changed is a new version at the
// log's end; the old one is dead, and its bytes stay until a full run writes a new
// log. The State holds by version what the partition made of them: groups, suspects,
// scored pairs, edges, profiles. It is small, and written whole by every run.
//
// # Invariants
//
// Equal entries give equal bytes. A section or State that is cut short, or of another
// version of this package, is an error, never other entries; who keeps the bytes adds
// a checksum. Version must change with whatever is written here, and with what it
// means.
//
// Neighbours: package resolve writes and reads it; docs/adr/20261123-incremental-resolve.md
// says why it is as it is.
package index
