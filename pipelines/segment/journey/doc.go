// Package journey looks at the order of a profile's events: whether some happened
// one after the other, and how many in one session.
//
//   - A sequence holds when there are events of its steps, each strictly later
//     than the one before it: events of one moment are not one after the other.
//     Loose: whatever lies between. Strict: between two steps' events lies no
//     event of a name that the sequence lists, fitting or not. With a span, the
//     last step's event is no later than that after the first's.
//   - A session by gap is a run of a profile's events of any name, each no later
//     than the gap after the one before it. A session by property is the events
//     with one known value of it. In a session, all steps belong to one.
//   - Only events in the window count, for steps, between them and for sessions.
//
// Events come in any order, so something of them has to be kept: of each moment
// at which something happened that a sequence looks at, which steps it fits (32
// bytes, and the property's value if sessions go by one). A sequence keeps the
// latest Most of these moments and forgets older ones; a State says so. Sessions
// by gap keep the first and last moment of each (as many as fit between a
// profile's first and last event, however many events there are). Moments are
// microseconds.
//
// Invariants: what a State says does not depend on the order of Add, and States
// of disjoint events can be merged; what is forgotten is the same in any order.
//
// Why so: docs/adr/20261123-order-without-sorting.md. Neighbours: package timeline gives filters and windows; package rule compiles
// conditions to what is here.
package journey
