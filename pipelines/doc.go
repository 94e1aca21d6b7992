// Package pipelines runs a stage's work on Apache Beam.
//
// A Pipeline is a list of Steps. What crosses from one step to the next through
// Beam is a reference to a block of a scratch object in the object store,
// never the rows (design, section 7): a step's task reads the rows of its
// references, computes in plain Go, and writes rows for the partitions of the
// next step. The last step writes table files. The heart of each stage is a
// pure sub-package that knows nothing of Beam.
//
// # The shape
//
// Every stage is the same Beam graph, made by build:
//
//	Impulse → sources → GroupByKey → step 1 → GroupByKey → step 2 … → GroupByKey → manifest
//
// One element is a small JSON text: a source file, a reference to a block
// of a scratch object, or a task's result (table files and counts). Elements meant
// for a later step pass through the steps between. The manifest is written once,
// from the results of all tasks, each counted once however often Beam ran it. Beside
// it lies an account of the bytes that went through Beam's shuffle and through scratch
// objects (Moved).
//
// # Writing a step
//
// A first step's task reads its source files with Rows or Batches, a later one
// the rows that were emitted to its partition with Read or Stream. Emit sends a
// row to a channel of the next step; a channel named "<step>:<channel>" goes to
// the named later step; Again has it read the task's source. Output and Quarantine write table rows. A step's task
// runs only for partitions that were sent something.
//
// # Processes
//
// One pipeline runs in one child process (RunChild starts it, Main is its main
// function): Prism keeps process globals, and a cancelled job returns no error.
// The run succeeded only if the process ended with 0 and its manifest is
// complete. The pipeline graph names the stage and the spec's key alone;
// the object store's configuration and the workspace's secrets reach a worker
// through its environment (StoreEnv, SecretsEnv), so that no secret is in a job
// graph, a spec or a manifest.
// With Child.LocalScratch the scratch objects are files in the process's temporary
// folder, and go with it.
//
// Invariants: a task's output depends on its input alone (no clock, no random
// source, no arrival order), so a repeated task writes the same files under the
// same names (invariant 2). Errors of a step hold no row value (invariant 10).
//
// Neighbours: stages plans specs and commits manifests; lakehouse/rowfile reads
// and writes the files.
package pipelines
