// Package revisions says which revision of the policy may rule: what people sign, and
// what follows from a log of what they signed. It is pure: keys, bytes and `now` are
// arguments, and where the log is kept is the caller's.
//
// # Invariants
//
//   - Four eyes. A revision rules only with ed25519 signatures of two signers, with
//     different names and different keys: its author's and an approver's. What they sign
//     is the digest of the bundle, of the test report and of the what-if report, the
//     effective date, and the digest of the revision before.
//   - Numbers only grow. An approval counts only if nothing was approved since its
//     proposal was made: neither a copied entry nor a slow officer brings an older
//     revision back. A roll-back is a revision of its own, signed by two.
//   - The log is only added to, and each entry holds the digest of the one before. A log
//     that is not whole, or that a reader remembers to have been longer, is refused. An
//     entry that does not verify counts for nothing, so the last good revision stays.
//   - Who signs is pinned by the first entry. A change of the list is a revision that
//     two of the old list sign.
//
// # Neighbours
//
// stages keeps the log in the object store and loads what may rule; workflows order a
// publication; package policies compiles and proves.
package revisions
