// Command bench measures Weir on this machine, beside the tools that people would
// use instead: `make bench`.
//
// Each measure makes its data, then runs its arms in turn, for as many rounds as
// asked, each in a process of its own (the difference apart, which is the plan
// step of a stage and is called as a worker calls it). Weir's arms are the binary
// as users run it: a fresh project, `weir run`, the embedded parts, start and stop
// included; what the stage itself took is told beside it. Peers come from the
// bench kit, a folder beside the repository (-kit) with a Python environment
// (make bench-env); without them Weir is measured alone.
//
// Every measure is a JSON line on standard output and in -out; a summary with
// medians and ratios goes to standard error, and with -doc into a Markdown file.
// -scale 1 is the sizes that Weir's goals are stated for.
//
// Invariants: the arms of a measure give as many rows, or the arm fails; arms
// alternate; nothing that runs beside them is hidden: load1 is in every line.
//
// Neighbours: test/postgrestest runs the PostgreSQL server; examples/shop is the
// data of the chain. Nothing imports this package.
package main
