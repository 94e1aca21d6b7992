// Package lookalike finds profiles that are like the members of a segment.
//
// # Method
//
// Features are standardised (package feature). A feature in which members do not
// differ from others would only add noise to a distance, so each is weighted by
// how far apart the two are: the difference of means over the deviation of all
// (Cohen's d), held at 2. A segment often has several kinds of members, so they
// are gathered round up to 8 centres (k-means; the first centre is the members'
// mean, each next the member farthest from all so far). A profile's similarity is
//
//	exp(−d² / 2s²), from 0 to 1
//
// with d the weighted distance to the nearest centre and s² the mean of the same
// over the members, so that members themselves have about 0.6.
//
// # Is it any good
//
// A fifth of the members, by lot, is held out: nothing above sees them. They are
// then ranked among the profiles that are not members. AUC is the chance that one
// of them is more similar than a stranger (0.5: no better than chance), lift how
// many times as many of them as by chance are among the most similar tenth.
//
// Invariants: no clock, no global random source; the same profiles in any order
// and the same seed give the same bits. A segment too small, or without any
// difference to the others, is refused.
package lookalike
