// Package block enumerates the pairs of records that are worth comparing.
//
// Records that share a key of a blocking rule are a block. A pair may share
// several keys; it counts once, in the block of the first key that both hold.
//
// A key that more than `max` records hold is big. Its records are split by the
// rule's second key, into keys of their own; what is still big after that, or
// has no second key, is not compared, and the pairs are counted as lost. What is
// big must be known of all keys before any pair is enumerated, because a pair
// that is lost under one rule must be found under the next: so there are two
// steps, Counts over all keys, then Pairs block by block with Members whose keys
// went through Plan.Keys.
//
// Lost pairs are counted exactly, as the pairs of the block: some of them may
// still be found under another rule.
//
// Neighbours: package model gives the keys, package resolve moves them.
package block
