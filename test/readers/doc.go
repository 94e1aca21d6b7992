// Package readers proves that others can read the lake: PyIceberg and Spark
// through the catalog and DuckDB through metadata files read tables that Weir
// wrote, at the snapshots that ops.runs pins, with no code of Weir.
//
// The scripts beside it are what docs/tables.md shows to foreign readers. The test
// needs a Python with requirements.txt installed; `make readers-env` makes one, and
// `make spark-env` one with Spark and its jars.
package readers
