// Package schema declares the lake's tables: their columns with field ids that
// never change, keys, documentation, and how a person is found in each.
//
// Invariants: a declared field id is for ever (testdata/tables.golden.json guards
// them); a table grows by optional columns at its end and by wider types only;
// each table that holds anything personal says in PersonBy how to find a person
// in it, so that erasure can reach it.
//
// It knows Arrow, for the schemas that files are written with, but not Iceberg:
// package lakehouse maps a Table to the catalog's schema, rowfile to files.
package schema
