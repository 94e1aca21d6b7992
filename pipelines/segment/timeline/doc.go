// Package timeline is what rules and traits see of a profile's events: an event
// cut down to the properties that some definition reads, and the filters that
// pick events.
//
// A filter's window `within N` is (now - N, now]: an event that occurred exactly
// N ago is outside, one that occurred at now is inside. Events later than now
// don't count for anything yet, window or not. (The bench kit's SQL writes
// occurred_at >= now - N; the design's half-open window rules here.)
//
// Invariants: filters look at one event at a time, so that what is counted does
// not depend on the order in which events come, and a profile's events never
// need to be in memory together.
package timeline
