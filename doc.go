// Package weir holds the nouns of the customer data platform: what a record, an
// event, a profile, a segment, a consent, a decision and a delivery are, the
// definitions that a project directory declares, and the errors that every part
// speaks.
//
// It imports the standard library only, so that every other package may import
// it. The row types carry `parquet` tags: one row type is one table of the lake,
// declared here once and laid out by package lakehouse.
//
// Invariants: a noun has no behaviour that needs a clock, a network or a random
// source; times are UTC; text is valid UTF-8.
package weir
