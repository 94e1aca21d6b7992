package plan

import (
	"context"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Plan says what the policy reads of inputs whose fixed paths hold what input holds.
// With a nil input it says it of all inputs: comparisons with what is fixed count as
// comparisons with constants, which are not told. Folding stops when ctx ends: the
// plan then reads more, and is as right.
func (p *Policy) Plan(ctx context.Context, input *ast.Term) *Plan {
	w := &walker{p: p, fold: p.folding(ctx, input), reads: map[string]*Read{}, seen: map[*ast.Rule]bool{}, voids: map[*ast.Rule]bool{}, derived: map[string]*derived{}}
	defer w.fold.end(ctx)
	for _, r := range p.matching(p.query) {
		w.rule(r)
	}
	out := &Plan{}
	for _, k := range slices.Sorted(maps.Keys(w.reads)) {
		r := w.reads[k]
		slices.SortFunc(r.Atoms, Atom.compare)
		r.Atoms = slices.CompactFunc(r.Atoms, func(a, b Atom) bool { return a.compare(b) == 0 })
		if r.Raw {
			r.Atoms = nil
		}
		out.Reads = append(out.Reads, *r)
	}
	return out
}

// walker gathers reads, each rule once.
type walker struct {
	p       *Policy
	fold    *folding
	reads   map[string]*Read // by path
	seen    map[*ast.Rule]bool
	voids   map[*ast.Rule]bool  // rules that lead nowhere
	derived map[string]*derived // by reference
	at      *ast.Expr
}

// scope is what is known of a body's variables at one of its expressions.
type scope struct {
	conj    []*ast.Expr           // the fixed expressions so far, outer ones first
	fixed   map[ast.Var]bool      // bound by them
	free    map[ast.Var]bool      // bound by others
	aliases map[ast.Var][]string  // equal to a path of the input
	rules   map[ast.Var]*ast.Term // equal to what rules say
}

func newScope() *scope {
	return &scope{fixed: map[ast.Var]bool{}, free: map[ast.Var]bool{}, aliases: map[ast.Var][]string{}, rules: map[ast.Var]*ast.Term{}}
}

func (s *scope) inner() *scope {
	return &scope{conj: slices.Clip(s.conj), fixed: maps.Clone(s.fixed), free: maps.Clone(s.free), aliases: maps.Clone(s.aliases), rules: maps.Clone(s.rules)}
}

// named says whether a variable stands for a path, or for what rules say.
func (s *scope) named(v ast.Var) bool {
	_, path := s.aliases[v]
	_, rule := s.rules[v]
	return path || rule
}

func (w *walker) rule(r *ast.Rule) {
	if w.seen[r] {
		return
	}
	w.seen[r] = true
	for part := r; part != nil; part = part.Else {
		w.part(part)
	}
}

// part reads a rule's body and head, as far as the body can get.
func (w *walker) part(r *ast.Rule) {
	s := newScope()
	for _, a := range r.Head.Args {
		s.bindAll(a)
	}
	if w.leadsNowhere(r, s) {
		return
	}
	w.body(r.Body, s)
	for _, t := range r.Head.Reference[min(1, len(r.Head.Reference)):] {
		w.raw(t, s)
	}
	w.raw(r.Head.Key, s)
	w.raw(r.Head.Value, s)
}

// enter takes an expression's variables into the scope, and says whether it is fixed.
func (w *walker) enter(e *ast.Expr, s *scope) bool {
	if w.isFixed(e, s) {
		s.conj = append(slices.Clip(s.conj), e)
		scan(e, func(x sight) {
			if x.variable != "" {
				s.fixed[x.variable] = true
			}
		})
		return true
	}
	if v, path, ok := w.alias(e, s); ok {
		s.aliases[v] = path
		return false
	}
	if v, t, d := w.naming(e, s); d != nil {
		s.rules[v] = t
		return false
	}
	s.bindAll(e)
	return false
}

func (s *scope) bindAll(x any) {
	scan(x, func(x sight) {
		if v := x.variable; v != "" && !s.named(v) && !s.fixed[v] {
			s.free[v] = true
		}
	})
}

// isFixed says whether all inputs of a plan make the same of an expression.
func (w *walker) isFixed(e *ast.Expr, s *scope) bool {
	if w.p.with {
		return false
	}
	ok := true
	scan(e, func(x sight) {
		switch {
		case x.strange, x.replaces != nil, x.variable == ast.InputRootDocument.Value, s.free[x.variable], s.named(x.variable):
			ok = false
		case x.variable == ast.DefaultRootDocument.Value:
			ok = ok && w.fixedRules(ast.Ref{ast.DefaultRootDocument})
		case len(x.ref) > 0 && x.ref[0].Equal(ast.InputRootDocument):
			path, _ := ground(x.ref)
			ok = ok && w.p.isFixed(path)
		case len(x.ref) > 0 && x.ref[0].Equal(ast.DefaultRootDocument):
			ok = ok && w.fixedRules(x.ref)
		}
	})
	return ok
}

// fixedRules says whether the rules that a reference could mean read fixed paths alone.
func (w *walker) fixedRules(ref ast.Ref) bool {
	return !slices.ContainsFunc(w.p.matching(ref), func(r *ast.Rule) bool { return !w.p.of(r).fixed })
}

// unfixed are a body's expressions that are not fixed.
func (w *walker) unfixed(b ast.Body, s *scope) []*ast.Expr {
	var out []*ast.Expr
	for _, e := range b {
		if !w.enter(e, s) {
			out = append(out, e)
		}
	}
	return out
}

// body reads all expressions of a body.
func (w *walker) body(b ast.Body, s *scope) {
	was := w.at
	for _, e := range b {
		if e.Location != nil {
			w.at = e
		}
		if !w.isFixed(e, s) {
			if _, path, alias := w.alias(e, s); alias {
				w.read(path)
			} else if _, _, d := w.naming(e, s); d != nil {
				w.atom(d.path, d.where(func(ast.Value) bool { return true }))
			} else {
				w.expr(e, s)
			}
		}
		w.enter(e, s)
	}
	w.at = was
}

// binds finds an expression that gives a new variable the value of a term.
func (s *scope) binds(e *ast.Expr) (ast.Var, *ast.Term, bool) {
	terms, call := e.Terms.([]*ast.Term)
	if !call || len(terms) != 3 || e.Negated || len(e.With) > 0 || comparisons[terms[0].Value.String()] != Eq {
		return "", nil, false
	}
	v, isVar := terms[1].Value.(ast.Var)
	return v, terms[2], isVar && !s.named(v) && !s.fixed[v] && !s.free[v]
}

// alias finds an expression by which a new variable names a path.
func (w *walker) alias(e *ast.Expr, s *scope) (ast.Var, []string, bool) {
	v, t, ok := s.binds(e)
	if !ok {
		return "", nil, false
	}
	path, ok := s.path(t)
	return v, path, ok && len(path) > 0
}

// path is the input's path that a term names as a whole.
func (s *scope) path(t *ast.Term) ([]string, bool) {
	if v, ok := t.Value.(ast.Var); ok {
		p, known := s.aliases[v]
		return p, known
	}
	ref, ok := t.Value.(ast.Ref)
	if !ok {
		return nil, false
	}
	rest, whole := ground(ref)
	if !whole {
		return nil, false
	}
	if ref[0].Equal(ast.InputRootDocument) {
		return rest, true
	}
	if v, ok := ref[0].Value.(ast.Var); ok {
		if p, known := s.aliases[v]; known {
			return append(slices.Clip(p), rest...), true
		}
	}
	return nil, false
}

// expr reads an expression that is not fixed.
func (w *walker) expr(e *ast.Expr, s *scope) {
	for _, m := range e.With {
		w.raw(m.Value, s)
	}
	switch t := e.Terms.(type) {
	case *ast.Term:
		if path, ok := s.path(t); ok && len(path) > 0 && len(e.With) == 0 && !w.p.mocked {
			w.atom(path, Atom{Op: Truth})
			return
		}
		if d := w.through(t, s); d != nil && len(e.With) == 0 && !e.Negated {
			w.atom(d.path, d.where(Atom{Op: Truth}.Holds))
			return
		}
		w.raw(t, s)
	case []*ast.Term:
		if len(e.With) > 0 || !w.compares(t, s) {
			w.call(t, s)
		}
	case *ast.Not:
		w.body(t.Body, s.inner())
	case *ast.Every:
		w.every(t, s)
	case *ast.LogicalAnd:
		w.body(t.Lhs, s.inner())
		w.body(t.Rhs, s.inner())
	case *ast.LogicalOr:
		w.body(t.Lhs, s.inner())
		w.body(t.Rhs, s.inner())
	default:
		w.rawPath(nil)
	}
}

func (w *walker) every(t *ast.Every, s *scope) {
	w.raw(t.Domain, s)
	in := s.inner()
	for _, v := range []*ast.Term{t.Key, t.Value} {
		if v != nil {
			in.bindAll(v)
		}
	}
	w.body(t.Body, in)
}

func (w *walker) call(terms []*ast.Term, s *scope) {
	if ref, ok := terms[0].Value.(ast.Ref); ok && ref[0].Equal(ast.DefaultRootDocument) {
		w.raw(terms[0], s)
	}
	for _, t := range terms[1:] {
		w.raw(t, s)
	}
}

// compares reads a comparison of a path with constants, if it is one.
func (w *walker) compares(terms []*ast.Term, s *scope) bool {
	op, ok := comparisons[terms[0].Value.String()]
	if !ok || len(terms) < 3 || w.p.mocked {
		return false
	}
	for i, t := range terms[1:3] {
		path, isPath := s.path(t)
		d := w.through(t, s)
		seen := op
		if i == 1 {
			if seen, ok = flipped[op]; !ok {
				continue
			}
		}
		if d == nil && (!isPath || len(path) == 0 || w.p.isFixed(path)) {
			continue
		}
		values, constant := w.constants(terms[2-i], s)
		if !constant {
			continue
		}
		for _, v := range values {
			if a := (Atom{Op: seen, Const: v}); d != nil {
				w.atom(d.path, d.where(a.Holds))
			} else {
				w.atom(path, a)
			}
		}
		if d == nil {
			w.read(path)
		}
		for _, rest := range terms[3:] { // takes the comparison's truth
			w.raw(rest, s)
		}
		return true
	}
	return false
}

// constants are the values that a fixed operand can have here.
func (w *walker) constants(t *ast.Term, s *scope) ([]ast.Value, bool) {
	if literal(t) {
		return []ast.Value{t.Value}, true
	}
	if !w.isFixed(ast.NewExpr(t), s) {
		return nil, false
	}
	fresh := false
	scan(t, func(x sight) { fresh = fresh || (x.variable != "" && !s.fixed[x.variable]) })
	if fresh { // a pattern that the comparison binds
		return nil, false
	}
	return w.fold.values(s.conj, t)
}

// literal says whether a term is a value as it stands.
func literal(t *ast.Term) bool {
	ok := true
	scan(t, func(sight) { ok = false })
	return ok
}
