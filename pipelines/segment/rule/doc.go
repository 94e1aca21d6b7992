// Package rule checks and evaluates a segment's rule tree over one profile.
//
//   - all: every child holds; any: some child holds; none: no child holds. So
//     none of a comparison with an unknown value holds.
//   - attribute, trait: every comparison holds (package value says what each
//     means). A name may have several comparisons.
//   - event: the number of picked events (package timeline) passes `count`,
//     which is at_least 1 if not given. The count of nothing is 0. Or an aggregate
//     of them (package trait) passes its comparisons, or the first or last event
//     of the name is one that fits.
//   - sequence: events happened one after the other (package journey).
//   - segment: the subject belongs to that segment too. Segments that depend on
//     each other are refused.
//   - random: the hash of seed and profile id lies in a range.
//   - A segment `of: person` holds profiles of kind person only, neither
//     accounts nor anonymous ones; `of: account` accounts only. Events that came
//     in while a person was anonymous count as soon as the identifier is theirs.
//
// A Book compiles the rules of many segments together: an event condition that
// several of them use is counted once. What a rule needs of a profile is then a
// Subject: attributes, trait values and counts, never the events. So the same
// code serves a block of a batch and one profile online, and a columnar
// evaluator can take the Book's filters and nodes without changing their meaning.
//
// Invariants: no clock; the outcome depends on the subject and now alone.
package rule
