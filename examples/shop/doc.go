// Package shop generates the example: a shop's customers as four systems tell
// of them, with the dirt of real ones, and the truth of who is who.
//
// The same seed and size give the same bytes on any machine. Nobody in it
// exists: names are drawn from lists, addresses end in a reserved domain, phone
// numbers are random digits of a valid form. Nothing is ever sent to them.
//
// Neighbours: `weir init --example shop` writes it; the demo and the tests run
// on it and compare profiles with Truth.
package shop
