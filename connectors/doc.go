// Package connectors is the SPI between Weir and the systems that it reads from
// and writes to: one folder per system, each passing package connectortest.
//
// A source lands rows as they are (Arrow batches), split by split; a
// destination takes only what the gate has admitted (permit.Batch, invariant 6).
// Capabilities beyond the two interfaces are small optional interfaces, found
// by type assertion.
//
// Invariants: a connector never reads a clock to name or order rows, keeps no
// state between runs (cursor and splits are the host's), never logs values, and
// turns one bad row into one Rejection (invariant 8).
//
// Neighbours: package project validates settings against Connector.Config and
// Connector.Stream; activities call Source and Destination; lakehouse stores
// batches.
package connectors
