// Package chaos kills a bigger shop often: fifty times, or as often as WEIR_CHAOS
// says; without it the test is skipped. `make chaos` runs it.
//
// Neighbours: test/e2e does the same five times on a small shop.
package chaos
