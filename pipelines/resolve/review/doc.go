// Package review chooses which uncertain pairs of records a person is asked about.
//
// An answer tells most where the model is least sure, and least where another
// answer about the same kind of pair was given before: pairs are taken near the
// threshold first, spread over the patterns of levels that they show (uncertainty
// sampling, Lewis and Gale 1994, with a penalty for repeats).
//
// Neighbours: package resolve keeps the candidates, stages shows them.
package review
