// Package weirtest drives the real weir program in tests, as people do: it builds
// it once, makes projects, runs commands, kills them, and asks the tables by SQL.
//
// Nothing here knows the program's inside: what a test sees is exit codes, what is
// printed, tables, and what a destination received.
//
// Neighbours: test/e2e and test/chaos use it; examples/shop generates the shop and
// stands in for the tool that takes its deliveries.
package weirtest
