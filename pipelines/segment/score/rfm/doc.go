// Package rfm ranks customers by recency, frequency and money, and gives each
// combination a name (Hughes, Strategic Database Marketing, 1994; the cells'
// names are those in common use).
//
// # The three numbers
//
// Recency is whole calendar days since the last purchase, frequency the number of
// orders, money purchases less refunds, exactly. Package purchase says what a
// purchase is. Who never bought has none of the three and is in no cell.
//
// # The scores
//
// Of n customers, one of whom `less` are worse on a measure, scores
//
//	1 + ⌊Q · less / n⌋, from 1 (worst) to Q (best)
//
// which is, in SQL, 1 + floor(Q * (rank() over (order by measure) − 1) / count(*)
// over ()), for recency with the longest ago first. Customers of equal measure
// have an equal score, whatever their ids and the order of the rows, which the
// ntile of a database does not promise. The price is that fifths need not be of
// equal size: if half of all customers ordered once, they all have 1 and nobody 2.
//
// A Cuts holds, for each score, the least measure that gets it: a handful of
// values that score any customer, new ones too.
//
// Invariants: no clock; no binary floating point; equal customers in any order
// give equal Cuts.
package rfm
