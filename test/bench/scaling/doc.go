// Package scaling computes what a larger lake costs from what smaller ones cost.
//
// Measured is what `bench -only scaling` found at three sizes, of which one has
// other shares of records and events, so that a cost by record and one by event can
// be told apart (Fit). Project computes a size on paper: processor time, scratch,
// references through the shuffle, memory, and the time that slots need, and which
// part of it gives way first. Document writes both as Markdown; docs/scaling.md holds
// its output for docs/scaling.json, and a test compares them.
//
// Invariants: the output depends on the measures and the assumptions alone, and each
// figure that was not measured follows from Assumptions or from a function here.
//
// Neighbours: test/bench measures; pipelines says how rows are cut into partitions.
package scaling
