// Package plan finds out what a compiled policy can tell apart: which paths of its
// input it reads, and of each whether only through comparisons with constants (atoms)
// or as the value itself (raw). Two inputs that agree on every raw path, and on the
// truth of every atom, get the same decision, so that one evaluation is enough for
// both.
//
// # Why that holds
//
//   - The walk starts at the decision's rule and follows every reference to a rule, as
//     far as it is known; where a reference's end is not, all rules that it could mean.
//     A path that stops being ground is raw from there on, and so are a subtree that is
//     read whole, an argument of a function, and whatever else is no comparison.
//     Syntax that the walk does not know makes the whole input raw.
//   - Nothing is assumed of a path that is not fixed. (OPA's partial evaluation folds
//     what is neither known nor declared unknown as undefined; here there is nothing to
//     declare.) The fixed paths are the same for all inputs that share a plan: what
//     reads only them is evaluated by OPA itself, on the compiled expressions.
//   - A rule's body is left out only if its fixed expressions alone have no solution.
//     What stands before them is read all the same if it can fail (an error in it is a
//     decision too: a denial) or if a rule with labels could hold in it.
//   - A policy that replaces input or data (`with`) has nothing folded: every constant
//     stands in the rule, or the path is raw.
//
// # Neighbours
//
// Package policies makes keys of classes from a plan, evaluates the policy once for
// each, and holds a sample of rows against it. Nothing here decides.
package plan
