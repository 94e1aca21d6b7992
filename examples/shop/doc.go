// Package shop generates the example: a shop's customers as four systems tell
// of them, with the dirt of real ones, and the truth of who is who.
//
// The same seed and size give the same bytes on any machine. Nobody in it
// exists: names are drawn from lists, addresses end in reserved domains, phone
// numbers are of ranges kept for fiction.
//
// Neighbours: `weir init --example shop` writes it; the demo and the tests run
// on it and compare profiles with Truth.
package shop
