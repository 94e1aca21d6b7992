// Package webhook delivers to any HTTP endpoint: a POST of a JSON body, or of
// one made by a template, for each batch or each row.
//
// Invariants: what is sent depends on the rows alone, so that a repeat is the
// same request with the same Idempotency-Key; no outcome is guessed (without an
// answer Deliver returns an error, and the same rows come again); a row that the
// receiver refuses never costs its neighbours (the batch is halved until the row
// is found); a redirect is never followed; at most a bounded part of a reply is
// read; errors and replies name the receiver's host, never its path, a
// credential or a person.
//
// Neighbours: package connectors (the SPI), connectors/connectortest (the suite
// that this package passes). The host limits the rate and decides when to try
// again.
package webhook
