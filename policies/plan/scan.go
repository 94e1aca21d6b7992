package plan

import "github.com/open-policy-agent/opa/v1/ast"

// sight is one thing that stands in a rule: a reference, a variable, a call, a
// replacement of input or data, or something that this package does not know.
type sight struct {
	ref      ast.Ref
	variable ast.Var
	call     string
	args     []*ast.Term
	replaces *ast.Term // the target of a `with`
	strange  bool
}

func scanHead(h *ast.Head, see func(sight)) {
	for _, t := range h.Reference[min(1, len(h.Reference)):] {
		scan(t, see)
	}
	scan(h.Key, see)
	scan(h.Value, see)
	for _, t := range h.Args {
		scan(t, see)
	}
}

// scan shows all that stands in a body, an expression or a term, however deep. A
// reference's head is part of it; its other elements are shown too.
func scan(x any, see func(sight)) {
	switch x := x.(type) {
	case ast.Body:
		for _, e := range x {
			scan(e, see)
		}
	case *ast.Expr:
		scanExpr(x, see)
	case *ast.Term:
		if x != nil {
			scanTerm(x, see)
		}
	default:
		see(sight{strange: true})
	}
}

func scanExpr(e *ast.Expr, see func(sight)) {
	for _, w := range e.With {
		see(sight{replaces: w.Target})
		scan(w.Value, see)
	}
	switch t := e.Terms.(type) {
	case *ast.Term:
		scan(t, see)
	case []*ast.Term:
		scanCall(t, see)
	case *ast.Not:
		scan(t.Body, see)
	case *ast.Every:
		scan(t.Domain, see)
		scan(t.Body, see)
	case *ast.LogicalAnd:
		scan(t.Lhs, see)
		scan(t.Rhs, see)
	case *ast.LogicalOr:
		scan(t.Lhs, see)
		scan(t.Rhs, see)
	default:
		see(sight{strange: true})
	}
}

func scanCall(terms []*ast.Term, see func(sight)) {
	if len(terms) == 0 {
		return
	}
	if ref, ok := terms[0].Value.(ast.Ref); ok {
		see(sight{call: ref.String(), args: terms[1:]})
		if ref[0].Equal(ast.DefaultRootDocument) {
			scan(terms[0], see)
		}
	} else {
		see(sight{strange: true})
	}
	for _, t := range terms[1:] {
		scan(t, see)
	}
}

func scanTerm(t *ast.Term, see func(sight)) {
	switch v := t.Value.(type) {
	case ast.Null, ast.Boolean, ast.Number, ast.String:
	case ast.Var:
		see(sight{variable: v})
	case ast.Ref:
		see(sight{ref: v})
		if head, ok := v[0].Value.(ast.Var); !ok {
			scan(v[0], see)
		} else if head != ast.InputRootDocument.Value && head != ast.DefaultRootDocument.Value {
			see(sight{variable: head})
		}
		for _, e := range v[1:] {
			scan(e, see)
		}
	case *ast.Array:
		v.Foreach(func(e *ast.Term) { scan(e, see) })
	case ast.Set:
		v.Foreach(func(e *ast.Term) { scan(e, see) })
	case ast.Object:
		v.Foreach(func(k, e *ast.Term) { scan(k, see); scan(e, see) })
	case *ast.ArrayComprehension:
		scan(v.Term, see)
		scan(v.Body, see)
	case *ast.SetComprehension:
		scan(v.Term, see)
		scan(v.Body, see)
	case *ast.ObjectComprehension:
		scan(v.Key, see)
		scan(v.Value, see)
		scan(v.Body, see)
	case ast.Call:
		scanCall(v, see)
	default: // a template that the compiler did not rewrite, or what a later OPA adds
		see(sight{strange: true})
	}
}
