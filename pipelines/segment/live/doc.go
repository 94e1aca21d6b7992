// Package live counts who would be in segments now, over all profiles, without a
// run: a question asked while the rule is being written.
//
// A Source gives profiles in blocks, with only the columns that a question reads
// (Reads); Run evaluates the blocks side by side, each as a cohort of package tally, the
// same that the stage uses, so a count is what a run at the same now would write.
//
// Invariants: the answer depends on the blocks' rows, the definitions, now and the
// seed alone, not on how rows are cut into blocks nor on who evaluates them;
// memory is that of a block for each worker.
//
// Neighbours: stages builds the blocks (its timeline cache) from the lake; explain
// says why a sample member is in.
package live
