// Package flink tests pipelines on a real Flink: a job manager, two task managers and
// Beam's job server, each a process of its own, with the worker binary. What one machine
// computes in a child process is the oracle: on the cluster the same spec has to give the
// same manifest, and the same project the same tables (invariant 11). Each pipeline also
// runs on a Flink inside the job server, of which the job service alone tells.
//
// `make test-flink` runs it; `make flink-env` fetches what it needs, else it is skipped.
package flink
