// Package tally evaluates all segments and traits of a project over one profile
// after the other: what a run counts of events, and what comes of it.
//
// Events are added to a profile's State one by one, in any order, and are not
// kept. A State's size depends on the definitions, not on the number of events,
// except for the different values that a distinct trait has met and the moments
// that a sequence has to know, which are bounded (package journey): so a profile
// of millions of events costs little more memory than any other.
//
// A definition that is wrong is left out and reported as Broken, with every
// segment that uses a broken trait; it never stops the others (invariant 8).
package tally
