// Package derive computes traits from attributes and other traits of the same
// profile, not from events.
//
//   - ratio [a, b] is a / b rounded to 9 decimals, halves away from zero; unknown
//     where either is, or b is 0.
//   - since and until attribute.NAME or trait.NAME are calendar days of the time
//     zone: from that moment's day to now's, or the other way round. Today is 0;
//     the other side of today is less than 0.
//   - expression is CEL over trait.NAME and attribute.NAME (package
//     conform/mapping): numbers are exact decimals, whatever is computed from an
//     unknown value is unknown, and so is what cannot be computed (a division by
//     0), which is counted.
//
// Traits that depend on each other are ordered; a circle is refused, with the
// way round.
//
// Invariants: no clock, no binary floating point but where an expression asks for
// it; the outcome depends on the profile's values and now alone.
package derive
