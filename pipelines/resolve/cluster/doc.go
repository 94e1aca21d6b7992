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
//  3. A second look (Second) at each component of three records or more that
//     scored pairs help to connect: the pairs that no score links are compared.
//     Those that speak against are doubts.
//  4. A component that breaks a constraint (a hard limit, a do-not-link) or holds
//     doubts is taken apart and built again from its evidence, strongest first;
//     ties are settled by the records, then by the rule. Inside one group the
//     pairs go in the order of the records. A merge that breaks a constraint is
//     refused. In a component with doubts, a scored pair is refused too if the
//     scored pairs between the two clusters, links and doubts, sum up to no
//     more than 0.
//
// So one weak pair joins no two clusters that otherwise differ. Joining only where
// the sum over pairs is for it is correlation clustering (Bansal, Blum and Chawla
// 2004); with log odds as weights, the sum is what the merge adds to the
// likelihood. Greedy contraction of the pair of clusters with the largest sum
// (Keuper and others 2015) gives the same quality here; the strongest edge first is
// simpler, and one order for rules and scores. Sums are in fixed point, so that
// no order of adding shows.
//
// A force-link is evidence of the greatest weight, not a constraint: a
// do-not-link or a hard limit stands against it. Doubts refuse scored pairs alone,
// never a rule or a force-link, and a force-link vouches: between what it joins and
// what a score links to any of it, no pair is doubted.
//
// Records are numbers from 0, given in the ascending order of the record ids:
// so "smaller record" here is "smaller record id" everywhere. The package knows
// no strings but Names, and does no I/O.
//
// Neighbours: package evidence makes the groups of rules, package stableid names
// the clusters, package explain reads the edges.
package cluster
