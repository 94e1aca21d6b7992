// Package sql runs SQL over the lake's tables with DuckDB. It is the only package
// that links DuckDB, so that the lean pipeline worker does without it.
//
// A Session is an analyst's: each attached table is a view over exactly the given
// data files (never a glob: a table's folder also holds files of older
// snapshots), and nothing but reading is possible. Three walls hold that: a
// statement must be one SELECT by DuckDB's own parser, using listed table
// functions only; after the first statement the engine can open no file but the
// attached ones and its own temporary folder; its settings are locked. The first
// wall matters most: DuckDB would write to any file that it may read.
//
// An Internal handle is the platform's: it may create temporary tables and run
// any statement, spilling to disk. It never sees text that a user wrote. Its
// Ranges say where to cut a table so that a join of any size is several small ones.
//
// Invariants: memory stays below MemoryLimit plus one page of rows, however large
// the result; times are shown in UTC; values of the tables never reach a log.
package sql
