package plan

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// This file finds bodies that can't hold.

// leadsNowhere says that a body can't hold, and that nobody can notice what stands
// in it: an error there is a decision too, and so are the labels of what held. Both may
// depend on all of the body, since OPA's index leaves bodies out by any expression.
func (w *walker) leadsNowhere(r *ast.Rule, s *scope) bool {
	end, dead := w.ends(r, s.inner())
	return dead && !w.matters(r, w.unfixed(r.Body[:end], s.inner()))
}

// ends finds an expression by which a body can't hold: the first fixed one that leaves
// no solution, or a rule before it that can't hold.
func (w *walker) ends(r *ast.Rule, s *scope) (int, bool) {
	if !w.fold.on {
		return 0, false
	}
	var at []int
	for i, e := range r.Body {
		switch {
		case w.enter(e, s):
			at = append(at, i)
		case w.void(e):
			if w.fold.possible(s.conj) {
				return i, true
			}
		}
	}
	if len(at) == 0 || w.fold.possible(s.conj) {
		return 0, false
	}
	for i := range at {
		if !w.fold.possible(s.conj[:i+1]) {
			return at[i], true
		}
	}
	return 0, false
}

// void says whether an expression is a reference to rules that all lead nowhere.
func (w *walker) void(e *ast.Expr) bool {
	t, isTerm := e.Terms.(*ast.Term)
	if !isTerm || e.Negated || len(e.With) > 0 {
		return false
	}
	ref, isRef := t.Value.(ast.Ref)
	if !isRef || !ref[0].Equal(ast.DefaultRootDocument) {
		return false
	}
	rules := w.p.matching(ref)
	return len(rules) > 0 && !slices.ContainsFunc(rules, func(r *ast.Rule) bool { return !w.nowhere(r) })
}

// nowhere says whether a rule leads nowhere, whatever the input is.
func (w *walker) nowhere(r *ast.Rule) bool {
	if known, ok := w.voids[r]; ok {
		return known
	}
	out := r.Head.RuleKind() == ast.SingleValue && len(r.Head.Args) == 0 && w.p.refs[r].IsGround()
	for part := r; part != nil && out; part = part.Else {
		out = !part.Default && w.leadsNowhere(part, newScope())
	}
	w.voids[r] = out
	return out
}

// matters says whether expressions that lead nowhere can still be noticed: by an
// error, or by a rule with labels that holds in them.
func (w *walker) matters(r *ast.Rule, exprs []*ast.Expr) bool {
	f, defs := &facts{}, definitions(r)
	for _, e := range exprs {
		scan(e, func(s sight) { w.p.note(f, s, defs) })
	}
	return f.fallible || f.labelled
}
