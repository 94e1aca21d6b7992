// Package standard turns values as people and systems write them into one
// canonical text each: e-mail addresses, phones (E.164), names, dates, times,
// numbers, countries, postcodes, consents' actions.
//
// A standardiser gets a text and a Context (default region, time zone, the row's
// country) and returns the canonical text, "" where the text says nothing (empty,
// or a spelling of "unknown"), or an error whose text names the fault and never
// the value (invariant 10). Attribute and Identifier choose by name; the
// vocabulary is in vocabulary.go.
//
// Invariants: standardising a canonical text gives it back; the result depends
// on text and context alone.
//
// The package is pure: it imports no other part of Weir than its nouns.
package standard
