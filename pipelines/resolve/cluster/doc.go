// Package cluster turns evidence that records are the same into a partition of
// the records.
//
// Evidence is a Group: records that one piece of evidence says are all the same
// (every record that holds a value, or the two records of a scored pair), with
// a rule and a weight. Rules and models give the same shape, so they can't
// fight.
//
// The result is defined without reference to an arrival order:
//
//  1. Suspects (values that may be hubs, see package evidence) are accepted or
//     refused. The accepted set is the least one that is closed under "a
//     suspect whose records lie on at most N profiles, by all evidence that is
//     accepted, is accepted". Accepting one can only lower the count of others,
//     so every order of checking ends at the same set.
//  2. Connected components of all accepted evidence.
//  3. A component that breaks a constraint (a hard limit, a do-not-link) is
//     taken apart and built again from its evidence, strongest first; ties are
//     settled by the records, then by the rule. Inside one group the pairs go
//     in the order of the records. A merge that breaks a constraint is refused.
//
// A force-link is evidence of the greatest weight, not a constraint: a
// do-not-link or a hard limit stands against it.
//
// Records are numbers from 0, given in the ascending order of the record ids:
// so "smaller record" here is "smaller record id" everywhere. The package knows
// no strings but Names, and does no I/O.
//
// Neighbours: package evidence makes the groups of rules, package stableid names
// the clusters, package explain reads the edges.
package cluster
