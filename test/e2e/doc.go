// Package e2e tests the real program from the outside, on small projects: the whole
// way from sources to deliveries, and what it does when it is killed, started
// twice, given bad input, a destination that hangs, or a full disk.
//
// Neighbours: weirtest drives the program; test/chaos kills it more often.
package e2e
