// Package score makes traits that are learned from all profiles: what a customer
// will be worth, who is about to leave, who is like whom. docs/scores.md says what
// each means to a user.
//
// # In three parts
//
//	Plan, State   of one profile's events, in any order: what the scores need,
//	              as a Row to learn from (Lesson) and one to be scored (Standing)
//	Fit           of all lessons of a score: a Fitted, its model and quality
//	Scorer        of a Fitted and one Standing: the values of the score's traits
//
// So a run learns in between two passes over partitions of profiles, and one
// profile can be scored online.
//
// # Nothing leaks
//
// A score that foretells (churn, propensity, the check of clv) learns from a
// cut-off, now − horizon. The features of a lesson are traits, evaluated by the
// segments' own tally with now = cut-off, which counts no event that is later;
// attributes are refused as features there, since only their present values are
// known. What happened in (cut-off, now] is the answer and nothing else. The
// Standing's features are the same traits with now = now.
//
// # Who is scored
//
// clv and rfm: who has purchased. churn: the same. propensity and lookalike: who
// has an event that some feature counts. The others have no value.
//
// Invariants: no clock, no global random source; equal events in any order and
// cut give equal bits. Data that tell too little are refused (Fitted.Refused):
// then nobody has a value.
//
// Neighbours: purchase, btyd, rfm, propensity, lookalike and feature do the
// work; pipelines/segment runs it; report shows a Fitted.
package score
