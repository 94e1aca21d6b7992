// Package stages holds what each of the seven stages does, without Temporal:
// plan (fix the inputs, write a spec), run (do it; the result is files and a
// manifest) and commit (make it visible, whole or not at all).
//
// It composes project, lakehouse, pipelines, policies and connectors; package
// activities calls it, package workflows orders it.
//
// Invariants enforced here: 1 (rows and cursor in one commit), 2 (nothing new
// in, nothing new out), 3 (ops.runs pins a stage's snapshots last), 6 and 7
// (only what the gate admits is delivered, removals always).
package stages
