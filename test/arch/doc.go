// Package arch holds the tests of the shape of the code: which room may import
// what (rooms_test.go, as data with a reason each), where the big engines stay,
// that algorithms read no clock, that packages say what they are for, that the
// invariants of docs/invariants.md are cited where they are enforced.
//
// It parses files and compiles nothing, so it runs in seconds. The depguard rules
// of .golangci.yml are printed from the same table: after a change of it run
//
//	WEIR_WRITE=1 go test ./test/arch -run Depguard
package arch
