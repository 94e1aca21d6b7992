// Package propensity learns from the past how likely a profile is to do
// something soon: to buy, or to stay away (churn).
//
// # What is learned
//
// An Example is a profile at a cut-off in the past: its features as they stood
// then, and whether it did the thing in the time that followed. Package score
// makes features with the segments' own tally, run at now = cut-off, which takes
// no later event into account: nothing that happened afterwards can leak in.
//
// # How
//
// Two models: logistic regression with an L2 penalty, by L-BFGS (gonum), and
// gradient-boosted trees (Friedman, Greedy Function Approximation, 2001; Newton
// steps and regularised leaves as in Chen and Guestrin, XGBoost, 2016, histograms
// of at most 64 bins). The trees are our own, on purpose small: there is no
// permissively licensed Go library that trains them and is kept up (see
// docs/adr). Bounded: at most 300 trees of depth 4, stopped when the validation
// part gets no better; 200,000 examples, chosen by lot.
//
// Examples are parted by a lot of the profile's id and the seed: 60 % to learn
// from, 20 % to stop the trees and choose between the models, 20 % held out. All
// quality (Quality) is of the held-out part, which nothing has seen.
//
// Invariants: no clock, no global random source; the same examples in any order
// and the same seed give the same bits. Too little to learn from is refused.
package propensity
