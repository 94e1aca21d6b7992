// Package consents folds what was said about one person into what holds now for
// one question: this purpose, this channel, these addresses.
//
// It is pure: entries in, State out, `now` is an argument, and the order in
// which entries are given does not matter. It imports package weir alone, so
// that the batch stage, the recheck before a delivery and a live path use the
// same fold.
//
// # What counts for whom
//
// A grant counts for the address (identifier value) that it was given for, and
// for the addresses that some source holds in ONE record together with it. It
// never travels through a link between records, so a merge gives it no new
// reach. One hop only: records {A,B} and {B,C} don't carry a grant from A to C.
//
// Every other entry is a restriction, and holds for the whole profile, whatever
// address it was given for. So a merge never widens what may be done, and a
// split gives each side back its own.
//
// # What beats what
//
// Entries are ordered by OccurredAt, then RecordedAt; on a tie the most
// restrictive wins. A restriction that does not say when it occurred counts from
// when it was recorded, and without that as the latest of all; a grant without a
// time counts as the earliest. A grant or a lifting dated after `now` does not
// count yet; a restriction does.
//
//   - denied, withdrawn: beaten by a later grant, for the addresses that the
//     grant reaches and for exactly its purpose and channel; all other addresses
//     stay withdrawn.
//   - objected: beaten only by a later explicit grant.
//   - opted_out (sale and sharing), signal: beaten only by a later explicit
//     grant that a person gave under an identifier of theirs, not of a device
//     (11 CCR 7025(c), 7028).
//   - opted_out_ads, opted_out_profiling, limit_sensitive: as opted_out. The use
//     that such an entry names as its purpose (sale, share) is no purpose: it
//     covers all of them.
//   - suppressed: beaten by a later explicit grant; closes its channel alone.
//   - restricted: lifted only by a later `unrestricted` for the same address.
//   - erasure_requested: never lifted here.
//   - an action that is not known: as withdrawn.
//
// A signal is read as an opt-out whatever its text says: those that can be read
// are replaced by what they say before (policies/signals, Expand).
//
// # Purposes and channels
//
// A restriction without purpose covers all purposes, one without channel all
// channels. Purposes nest by dots: a restriction of `marketing` covers
// `marketing.newsletter`, and one of `marketing.newsletter` covers a question
// about `marketing` as a whole. A grant covers exactly the purpose that it
// names, nothing below it and nothing above it; a grant without purpose covers
// nothing; a grant without channel covers all channels.
//
// Among several grants that reach an address the latest governs alone, even if it
// has expired and an earlier one has not, and even if an earlier one was explicit
// and it is not: what the earlier one overrode then stands again. Taking the best
// of each grant would let a merge allow what neither side allowed.
package consents
