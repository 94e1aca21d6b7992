// Package sorting sorts the long lists of a run, faster than comparing two at a time
// does: things that have a hash by dealing them into buckets (Hashed), texts by words
// of eight bytes (Texts).
//
// Both give what slices.SortFunc gives under the same order: what is equal is
// interchangeable. They know nothing of records.
//
// Neighbours: package resolve and cluster call it.
package sorting
