// Package report shows a fitted score to a person: one HTML page that needs no
// network and no script, with charts in SVG.
//
// # Invariants
//
// The page is a function of its Data: the same data gives the same bytes. All
// text is escaped. It holds no profile; of a feature that is a text it may name
// its most frequent values.
//
// Neighbours: package score is what is shown; stages reads it from segment.scores,
// and the command line writes the file. pipelines/resolve/report is its like for
// identity models.
package report
