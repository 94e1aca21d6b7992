// Package jobservice runs pipelines on a cluster: Apache Flink, reached through Beam's
// job service, which translates the graph, and Flink's REST, which knows what became of it.
//
// # One job for a run
//
// A job's name is made of the workspace, the stage, the run and a digest of the spec's
// key and place. So whoever runs the same spec again, after a restart of Weir or of the
// job service, finds the job that goes on and waits for it. Two that submit at once both
// look again afterwards, keep the one that Flink knew first and cancel the other; and if
// one slips through, it writes the same files under the same names, and one manifest.
//
// # What is believed
//
// A run succeeded only if its manifest is there, whatever a service says. A job is
// cancelled when Flink says so: the job service says it while the job runs on. A failed
// task's own message is read from the object store (pipelines.ReadFailure); what failed
// before any task ran is the last cause of Flink's exceptions, cut short.
//
// # Who may do what
//
// Beam's job service and Flink's REST ask nobody who they are: who reaches them can run
// programs on the task managers. Both belong into a network of their own. The graph and
// the job's options name the spec's key, the workspace's prefix and this program's
// build; the store's keys and the workspace's secrets come to the worker by its machine
// (cmd/weir-pipeline).
//
// Batch only: Beam's Go SDK can't set what streaming on Flink needs.
//
// Neighbours: pipelines makes the graph and does the work; cmd/weir wires this in.
package jobservice
