// Package chaos kills the demo's shop again and again: fifty times, or as often as
// WEIR_CHAOS says; without it the test is skipped. `make chaos` runs it, and keeps
// what it found in docs/chaos.md (WEIR_CHAOS_DOC).
//
// There are two shops of the same people (WEIR_CHAOS_PEOPLE; 10,000). In each round
// the same things change in both: names, addresses, withdrawals. One is refreshed in
// peace. The other is killed at moments drawn over the time that this took, or at a
// request of a delivery, and started again at once, until a refresh ends by itself.
// Then both must hold the same tables, and both destinations the same rows, each of
// them sent once.
//
// TestClusterKills does the same to the parts of a cluster: thirty times, or as often as
// WEIR_CHAOS_CLUSTER says (`make chaos-cluster`, docs/chaos-cluster.md).
//
// Neighbours: test/e2e kills a small shop five times at the same kinds of moments.
package chaos
