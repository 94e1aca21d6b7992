// Package conform maps raw rows to the common vocabulary: core.records,
// core.events and core.consents. It reads whole raw tables again on each run, so
// a changed mapping needs no new collecting.
//
// Two steps. map evaluates a stream's `where` and mapping (package mapping) over
// Arrow batches, standardises each value (package standard) and sends the row to
// a partition of its stream by its id. settle takes the last version of each id
// and writes it, sorted; events that were collected together have files of their own
// (generations).
//
// Which version is the last: the one collected last; of one read the one that
// stands last in its source (by file name, where numbers count as numbers, line,
// then position). A deleted row, and one whose last version `where` does not
// keep, is not written. Versions of one read that lose are counted as
// `duplicate_keys`.
//
// A row without its key is withheld. An unusable value becomes null, is reported
// in ops.quarantine with its field, and the row goes on; only the last version
// of a row is reported, so what was mended at the source leaves the quarantine,
// whose scope is replaced with each run. An event without a usable time or name
// has no place and is withheld.
//
// Consents fail closed in both directions. An entry that would widen what may be
// done (granted, unrestricted) is withheld when its purpose, channel, end, time
// or address is unusable. A restriction is never lost to a bad value: without a
// usable time it counts from when it was collected, without a usable purpose or
// channel for all of them, with an address that can't be standardised for that
// address as written; and it stays when its source deletes the row, or no longer has
// it in what is read anew (collect keeps such rows, with the operation `former`; a
// grant of theirs counts no more). An action outside the vocabulary is taken as a
// withdrawal and reported, since a no must not be lost; an entry without any action
// says nothing and is withheld.
//
// Invariants: the tables depend on the raw rows and the mapping alone, in any
// order and cut (invariant 2); a personal key never becomes part of an id
// unhashed (invariant 10); a bad row never stops another (invariant 8).
//
// Neighbours: stages plans the spec; pipelines runs the steps.
package conform
