// Package model scores pairs of records: how likely it is that both are about
// one person or company.
//
// # Method
//
// Each column gives a level of agreement (package compare). Among pairs that
// are the same a level has probability m, among random pairs u; log2(m/u) is its
// match weight (Fellegi and Sunter 1969). Equal values weigh by their frequency:
// u is the share of people who hold the value. Missing values weigh nothing.
//
// Columns are not independent: people of one household share a family name, an
// address and a phone. Adding up weights would make them one person. So a pair
// belongs to one of several classes: the same person, the same person who moved,
// relatives, strangers; see Class. The score is the log2 odds of all classes that
// are matches against all that are not, the prior included.
//
// # Invariants
//
// A model is immutable: its version is the digest of its content, and under one
// version a record's features, keys and every pair's score never change
// (invariant 11). Scores are symmetric. The artefact holds no value of a record,
// only hashes and frequencies (invariant 10).
//
// Neighbours: package train makes models, package block enumerates the pairs,
// package cluster takes the scores as evidence.
package model
