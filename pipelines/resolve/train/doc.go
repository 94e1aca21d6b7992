// Package train makes a model from a sample of records, without labels.
//
// In this order:
//
//  1. profile: what each column holds; which are compared, how (columns.go)
//  2. frequencies: how common each value is among people (frequency.go)
//  3. u: how often random pairs show each level (random.go)
//  4. pairs: those that agree on one of many training rules (pairs.go), or of a
//     large table those of whole blocks (plan.go, blocks.go)
//  5. expectation maximisation over the latent classes: m, what each class
//     shares, and the priors (em.go)
//  6. blocking rules: those that find most of the matches for the fewest
//     expected pairs (rules.go)
//
// Two errors that others make are avoided. A column's m is learned only from
// pairs that would have been found without it. And priors are of all pairs, not
// of a block's: the number of random pairs is known, not fitted.
//
// A sample is records drawn at random, and of a large table whole blocks beside
// them, which keep the pairs that a random draw loses. Pairs of blocks count by
// one over the chance that they were drawn; all else is of the random records.
//
// Training depends on the set of the sample's records and the seed alone: not on
// their order (invariant 11).
//
// Neighbours: package model is what comes out; package compare says how alike
// values are.
package train
