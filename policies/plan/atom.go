package plan

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Op is a comparison of a path's value with a constant, seen from the path.
type Op string

// The comparisons. In: the value is an element of the constant. Truth: it is not false.
const (
	Eq    Op = "="
	Neq   Op = "!="
	Lt    Op = "<"
	Lte   Op = "<="
	Gt    Op = ">"
	Gte   Op = ">="
	In    Op = "in"
	Truth Op = "is true"
)

// Atom is one comparison.
type Atom struct {
	Op    Op
	Const ast.Value // nil of Truth
}

// Holds says what Rego says of the comparison for a value that is there: values of
// different types are ordered by type.
func (a Atom) Holds(v ast.Value) bool {
	if a.Op == Truth {
		return v.Compare(ast.Boolean(false)) != 0
	}
	if a.Op == In {
		return member(v, a.Const)
	}
	c := v.Compare(a.Const)
	switch a.Op {
	case Eq:
		return c == 0
	case Neq:
		return c != 0
	case Lt:
		return c < 0
	case Lte:
		return c <= 0
	case Gt:
		return c > 0
	default:
		return c >= 0
	}
}

// member is internal.member_2 for a collection; nothing is a member of anything else.
func member(v, of ast.Value) bool {
	found := false
	see := func(t *ast.Term) { found = found || t.Value.Compare(v) == 0 }
	switch x := of.(type) {
	case *ast.Array:
		x.Foreach(see)
	case ast.Set:
		x.Foreach(see)
	case ast.Object:
		x.Foreach(func(_, t *ast.Term) { see(t) })
	}
	return found
}

func (a Atom) compare(b Atom) int {
	if c := strings.Compare(string(a.Op), string(b.Op)); c != 0 || a.Op == Truth {
		return c
	}
	return a.Const.Compare(b.Const)
}

// Read is one path that the policy reads.
type Read struct {
	Path []string
	// Raw says that the value itself matters, or what stands below it.
	Raw   bool
	Atoms []Atom // sorted; all that matters if it is not raw
	// Where and Expr name the first expression that makes it raw.
	Where string
	Expr  string
}

// Plan is all that a policy reads, sorted by path; of fixed paths nothing.
type Plan struct{ Reads []Read }

// Of says how a path is read: raw if any read covers it, else its atoms. A path that
// is not read has neither.
func (p *Plan) Of(path ...string) Read {
	out := Read{Path: path}
	for _, r := range p.Reads {
		n := min(len(r.Path), len(path))
		if !slices.Equal(r.Path[:n], path[:n]) {
			continue
		}
		if len(r.Path) != len(path) || r.Raw { // above it or below it: the value matters
			if !out.Raw {
				out.Where, out.Expr = r.Where, r.Expr
			}
			// Compared with a constant, what stands above tells by all that it holds.
			compared := len(r.Path) < len(path) && slices.ContainsFunc(r.Atoms, func(a Atom) bool { return a.Op != Truth })
			out.Raw = out.Raw || r.Raw || compared || len(r.Path) > len(path)
			continue
		}
		out.Atoms = r.Atoms
	}
	return out
}

// comparisons are the builtins that compare, by the operator as the left operand
// sees it.
var comparisons = map[string]Op{"eq": Eq, "equal": Eq, "neq": Neq, "lt": Lt, "lte": Lte, "gt": Gt, "gte": Gte, "internal.member_2": In}

// flipped is the operator as the right operand sees it; In has none.
var flipped = map[Op]Op{Eq: Eq, Neq: Neq, Lt: Gt, Lte: Gte, Gt: Lt, Gte: Lte}
