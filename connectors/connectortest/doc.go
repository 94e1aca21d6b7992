// Package connectortest is the suite that every connector passes: Source for
// what can be read, Destination for what can be written. A connector's own test
// sets up a system with known content, describes it in a harness, and runs it.
//
// What the suite holds a connector to is what the host relies on: plans that can
// be stored and resumed, splits that read the same rows twice, nothing read when
// nothing changed, one bad row that stays one rejection (invariant 8), one
// outcome a row, and repeats that change nothing (invariant 2).
//
// It is test support: only tests import it.
package connectortest
