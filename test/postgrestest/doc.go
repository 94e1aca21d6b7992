// Package postgrestest starts a real PostgreSQL for tests: the server programs of
// the machine's package, on a temporary folder and a free port of the loopback,
// as another user if the tests run as root.
//
// A package whose TestMain calls Main has one server for all its tests, each
// with a database of its own; without, each Start is a server.
//
// Without the programs tests are skipped, and fail if WEIR_REQUIRE_POSTGRES is 1.
package postgrestest
