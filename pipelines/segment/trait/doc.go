// Package trait computes traits: one aggregate over a profile's events.
//
//   - count counts the picked events (of properties.x: those that have x).
//   - sum, avg, min and max are exact decimals; a property that is there but is
//     no plain decimal is skipped, and the skips are counted. min and max of
//     occurred_at are moments.
//   - distinct counts the different texts of a property, or names of events.
//   - most_frequent is the text met most often, of several the first by its bytes;
//     list the first MaxItems different texts by their bytes.
//   - since first and since last are the calendar days of the time zone since the
//     first or last event.
//   - first and last take the known value of the event that occurred first or
//     last; of two events of one moment, the one whose id sorts first (last).
//
// With a currency, sum, avg, min and max take amounts in the workspace's currency
// by the rate of each event's day; without rates a profile whose amounts are of
// several currencies has no value, which a State tells.
//
// Of no event, count, sum and distinct are 0, the others unknown. A number is
// what the lake stores of it: rounded to 9 decimals (avg divides exactly first),
// and unknown where it would need more than 29 digits before the point; rules
// compare that same number.
//
// Invariants: a State's outcome does not depend on the order of Add, and two
// States of disjoint events can be merged; its size does not grow with the
// number of events, except that distinct and most_frequent keep the different
// values. Neighbour: package derive computes traits from other traits.
package trait
