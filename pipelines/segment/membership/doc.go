// Package membership turns who matches now, and who was a member before, into
// current memberships and the history of entries and exits.
//
//   - Who stays keeps entered_at. Who enters enters at the run's now.
//   - A profile id that is gone (merged, split, erased) exits with cause profile.
//     Its successor, the profile that it was merged or redirected into, keeps the
//     earliest entered_at of itself and its predecessors if it matches; its
//     entry has cause profile. After a split the new profile enters at now: its
//     own history before is not known.
//   - Other changes have cause definition if the segment is new, gone or its
//     digest differs from the one of the last run, else data.
//   - A segment that cannot be evaluated keeps its members (those who are gone
//     hand over to their successors), so that a typing mistake never empties a
//     destination.
//
// Invariants: members after = members before + entries - exits; the output is
// sorted by segment and profile.
package membership
