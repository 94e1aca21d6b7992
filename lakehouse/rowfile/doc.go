// Package rowfile writes and reads the lake's Parquet files: table files, which a
// commit makes part of an Iceberg table, and scratch files, which pass rows
// between the steps of a pipeline and are then deleted.
//
// Table files go through Arrow: nouns are appended column by column (maps in the
// order of their keys), so the bytes depend on the rows and their order alone,
// every field carries its Iceberg id, and dynamic tables (raw, attributes) and
// fixed ones share one writer. Scratch files go through parquet-go, which lays
// out any Go struct without a declared schema and writes one row group per call.
//
// Invariants: a table file is named by the hash of its bytes, and its footer is put in
// order before (the library lists some counts in the order of a map), so the same rows
// give the same file (invariant 2); nothing is visible before it is whole;
// the columns of a flat table are written at the same time, and the bytes are as if
// they were not; writers hold at most one row group and SpillBytes of finished bytes in memory,
// readers one row group.
//
// Neighbours: schema declares what is written, object holds it, lakehouse commits
// it.
package rowfile
