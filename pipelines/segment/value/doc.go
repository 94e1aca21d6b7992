// Package value holds the typed values that rules and traits compare: exact
// decimal numbers, moments, spans of time, texts and truth values, read from
// their canonical texts, and the operators over them.
//
// Meaning of the operators (docs of a user's rule language rest on this):
//
//   - An unknown value (missing, empty, or not readable as its declared type)
//     matches nothing but `exists: false`; so `is_not` of an unknown is no match.
//   - is, is_not, in compare for equality; at_least, at_most, more_than,
//     less_than and between (both ends included) by order: numbers as exact
//     decimals, dates and times as moments, texts by their bytes.
//   - older_than N is x < now - N, newer_than N is x >= now - N; a value later
//     than now is newer than anything. Days, hours and weeks are of fixed length
//     (1d = 24h, as in windows); months and years follow the calendar of the
//     workspace's time zone, a missing day becoming the month's last.
//   - contains, starts_with and ends_with look for a piece in a text, or for any
//     of several, by its bytes: capital letters count.
//   - anniversary next N (last N): a later year's day of the date's month and day
//     lies in the calendar days from today to N days ahead (from N days back to
//     today), ends included. A 29 February is kept on the 28th in other years. The
//     date itself is no anniversary.
//   - A date stands for its first moment in the workspace's time zone.
//   - A value without a declared type (an event's property, the first or last
//     value of one) takes the type that the operands have: numbers if they all
//     are plain decimals, moments if they all are dates or times, else text. For
//     equality a number operand equals any spelling of that number ("12.5",
//     "12.50"); a text with a leading zero is a text.
//
// Invariants: nothing here reads a clock; no binary floating point.
package value
