// Package report shows a trained model to a person: one HTML page that needs no
// network and no script, with charts in SVG.
//
// # Invariants
//
// The page is a function of its Data: the same data gives the same bytes. All
// text is escaped. It holds no value of a record: the artefact has none
// (invariant 10).
//
// Neighbours: package model is what is shown, package train tells how it was
// learned; stages gathers both, and the command line writes the file.
package report
