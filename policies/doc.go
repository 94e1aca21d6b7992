// Package policies is the gate: it asks the policy (Rego, run by OPA inside the
// process) whether a row may go to a destination, for a purpose, now, and it
// alone makes the batches that destinations deliver.
//
// # Invariants
//
//   - Fail closed (invariant 6). A row goes only if the policy says allow, names
//     a basis and gives no reason against it. An error, an undefined or malformed
//     answer and a timeout deny with D31. Facts' zero values are `unknown`, and
//     every rule says what unknown means to it.
//   - A batch with rows is made only from decisions that Recheck has passed, and
//     Recheck asks the policy again about every class: a forged or altered row of
//     consent.decisions or consent.classes lets no denied facts through.
//   - A removal is always delivered (invariant 7): Removals needs no gate, asks
//     no policy and sends the key alone.
//   - No clock: `now` is an argument; Rego can't read one (capabilities).
//   - No personal value reaches the policy (invariant 10): Input holds facts and
//     counts, no address and no name.
//
// # How a million rows are decided
//
// Package plan tells what the compiled policy can tell apart of rows, for one question
// and one list of jurisdictions: which facts it reads, and of which only whether a
// comparison holds. Rows that it can't tell apart are one class: the key is exact, and
// the original policy is asked once, about the first row of the class. A second row of
// each class, and a sample of all rows, are asked in full too, and one difference
// refuses the run. consent.classes.inputs writes each fact as the values that count for
// the same ("unknown|no", "0..730"); a fact that is not told apart is not written.
//
// # Neighbours
//
// policies/plan reads the compiled rules; policies/consents folds entries into a State; policies/bundle is the built-in
// policy, with its tests and cases; policies/permit names what Deliver takes;
// stages/ reads the tables and calls this package.
package policies
