// Package lakehouse holds the lake's tables: an Iceberg catalog (SQLite file or
// REST service), commits that are atomic and can be repeated, reading of pinned
// snapshots, and maintenance.
//
// Invariants:
//
//   - A commit id takes effect once: before every try the table is searched for
//     it (invariant 2). Rows and a connector's cursor are one Iceberg commit
//     (invariant 1).
//   - Nothing is deleted on an unknown outcome. What a lost try has written is
//     unreferenced and falls to Orphans after its grace period.
//   - A table's files are grouped in scopes: the folders below <table>/data/.
//     "name@version" is version `version` of scope `name`: replacing it removes
//     the files of every version of that name, and what a table holds of its
//     source can be read back from the paths alone (Scopes). A version without
//     rows is remembered by a Parquet file of no rows.
//   - Snapshots that the latest rows of ops.runs pin are never expired.
//
// Only main is written, tables are format version 2 and unpartitioned, and
// changes are whole files: there are no delete files to apply.
//
// Neighbours: object stores bytes, schema declares tables, rowfile writes and
// reads data files, sql queries them. Nothing outside this package imports
// Iceberg.
package lakehouse
