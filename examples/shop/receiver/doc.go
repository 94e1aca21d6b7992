// Package receiver stands in for the tool at the other end of a webhook: an HTTP
// handler that takes what connectors/webhook sends by default, honours
// idempotency keys, holds the rows that a real tool would now hold, and tells
// its state. The demo and the end-to-end tests look at it to see what reached
// the world.
//
// Invariants: a row whose idempotency key was seen before changes nothing but
// the count of duplicates; a request is taken whole or not at all; with a folder,
// what was acknowledged is still there after a kill.
//
// Neighbours: connectors/webhook writes the bodies; `weir example receiver`
// serves this handler on a port of this machine. It holds personal data of the
// example only, and is no part of a company's installation.
package receiver
