// Package postgres reads and writes PostgreSQL tables.
//
// A full read copies a table by one exported snapshot, in ranges of its pages
// that can be read at once. Each range is a scope, so that a full read replaces
// all that an earlier one landed. The snapshot ends with the Source: after a
// crash every range is read again (connectors.Session). Until it ends, a change
// of the table's columns waits, as it does for pg_dump.
//
// An incremental read takes the rows whose cursor is past the last one seen, and
// besides every row whose version is newer than the last plan's snapshot (its
// xmin is not below the snapshot's). So rows that share a cursor's value, rows
// committed late with an early one, rows changed without their cursor and rows
// without a cursor are all read. What was in flight at the last plan may be read
// twice, and is one row again by its key. The price is one scan of the table
// each time; `late: false` reads by the cursor's index alone, again from the last
// value on, and sees none of those. Views have no xmin and are read in that way.
// Incremental reads see no deletions, unless `deletes: compare` makes every sync
// a full one.
//
// Values keep their exact meaning: a numeric without a declared precision, and
// each type that Arrow and Iceberg lack, is the text that PostgreSQL writes;
// arrays are JSON. Infinite times and numeric NaN become null and are reported.
//
// Rows come by COPY in binary form, parsed straight into Arrow columns.
//
// The destination upserts by a unique key column and deletes by it; a row that
// the table refuses is found by savepoints and costs no other row.
//
// Invariants: the plan holds no value but the cursor, which is of a number, time
// or uuid (never personal text); errors name server, database and table, never a
// password or a value; reading never writes (read-only transactions).
//
// Neighbours: package connectors (the SPI), connectors/connectortest and
// test/postgrestest (its tests).
package postgres
