// Package btyd estimates what customers will buy from what they have bought:
// "buy till you die" models for shops without contracts, where nobody says that
// they leave.
//
// # BG/NBD: how many purchases
//
// Fader, Hardie and Lee, "Counting Your Customers" the Easy Way: An Alternative
// to the Pareto/NBD Model, Marketing Science 24(2), 2005. While active, a customer
// buys as a Poisson process of rate λ; after each purchase they drop out with
// probability p; λ is gamma(r, α) and p is beta(a, b) among customers. Of each
// customer only three numbers matter (History): repeat purchases x, the age t_x
// at the last of them, and the age T now.
//
// # Gamma-Gamma: how much a purchase
//
// Fader and Hardie, The Gamma-Gamma Model of Monetary Value, 2013
// (brucehardie.com/notes/025). A customer's purchases vary around their own mean
// by a gamma of shape p, and the means among customers by an inverse gamma (q, γ);
// value and frequency are taken to be independent.
//
// # Purchases
//
// All events of one calendar day are one purchase, of the sum of their values.
// The first purchase makes somebody a customer and counts neither in x nor, as
// is usual, in the mean value of the Gamma-Gamma model. So a customer of one
// purchase has x = 0 and the expectations of customers at large.
//
// # How it is computed
//
// Maximum likelihood in the logarithms of the parameters, times scaled to the
// mean age, by BFGS (gonum) with exact gradients from fixed starts; equal
// histories are grouped. Likelihoods and expectations are arranged so that
// neither long histories nor parameters near 1 lose digits: see nbd.go and
// expect.go.
//
// Invariants: no clock and no random source; the same histories in any order give
// the same bits. Data that can't tell the parameters are refused, with the reason.
//
// Neighbours: package score makes histories of events and traits of the outcome.
package btyd
