// Package explain says why a profile is in a segment, or why not: the rule's
// tree in plain English, with each condition's value and verdict. It evaluates
// with the very code that the segment stage runs.
//
// A verdict holds personal values: it is for the person who asked, never for a
// log (invariant 10).
package explain
