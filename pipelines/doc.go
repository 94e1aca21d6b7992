// Package pipelines runs a stage's work on Apache Beam.
//
// A Pipeline is a list of Steps. What crosses from one step to the next through
// Beam is a reference to a partition of a scratch file in the object store,
// never the rows (design, section 7): a step's task reads the rows of its
// references, computes in plain Go, and writes rows for the partitions of the
// next step. The last step writes table files. The heart of each stage is a
// pure sub-package that knows nothing of Beam.
//
// One pipeline runs in one child process; it succeeded only if the process
// ended with 0 and its manifest is complete.
//
// Invariants: a task's output depends on its input alone (no clock, no random
// source, no arrival order), so a repeated task writes the same files.
package pipelines
