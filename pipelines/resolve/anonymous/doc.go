// Package anonymous places identifier values that no record holds: values of
// events and consents only (nodes). Two values in one event are seen together.
//
// In this order, none of which depends on the order of the input:
//
//  1. A value seen beside more than `shared_by` other values (devices count a
//     hundredth) is a hub: ambiguous.
//  2. A value seen beside values of exactly one known profile belongs to it;
//     beside several, it is ambiguous (a shared device).
//  3. The remaining values that link are joined where seen together. A component
//     seen beside values that step 2 gave to one profile belongs to that profile,
//     to several: it is ambiguous; to none: it is an anonymous profile.
//  4. A value with `link: false` goes where the linking values that it was seen
//     with all are, else it is ambiguous; seen alone, it is an anonymous profile
//     of its own.
//
// Ambiguous values join nothing. Nodes are numbers in the ascending order of
// their hashes, so that the smallest node founds the anonymous profile's id.
//
// The package knows no values, only numbers; package resolve gives them.
package anonymous
