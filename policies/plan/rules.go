package plan

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
)

// Policy is a compiled policy as a graph of rules. It is safe for concurrent use.
type Policy struct {
	compiler *ast.Compiler
	store    storage.Store
	query    ast.Ref
	fixed    [][]string
	lists    [][]string
	domains  map[string][]ast.Value
	rules    []*ast.Rule // in the order of files
	refs     map[*ast.Rule]ast.Ref
	facts    map[*ast.Rule]*facts
	means    map[**ast.Term][]*ast.Rule // by a reference's first element: what matching has found
	ready    bool
	with     bool // something reachable replaces input or data
	mocked   bool // something reachable replaces a builtin
	labelled bool // labels that stand on packages: every rule has them
}

// facts are what is true of a rule, and of all that it refers to, for any input.
type facts struct {
	paths    [][]string // that it reads
	fallible bool       // it can end in an error
	labelled bool       // a rule with labels can hold in it
	fixed    bool       // it reads fixed paths alone
	done     bool
}

// New reads a policy. Fixed are the paths of the input that one plan knows, lists the
// paths that always hold an array. The compiler must have compiled; query is the
// decision's rule. Domains are all values of some paths, by the path with points: those
// that are always there and have few.
func New(c *ast.Compiler, store storage.Store, query ast.Ref, fixed, lists [][]string, domains map[string][]ast.Value) *Policy {
	p := &Policy{compiler: c, store: store, query: query, fixed: fixed, lists: lists, domains: domains, refs: map[*ast.Rule]ast.Ref{}, facts: map[*ast.Rule]*facts{}, means: map[**ast.Term][]*ast.Rule{}}
	files := make([]string, 0, len(c.Modules))
	for name := range c.Modules {
		files = append(files, name)
	}
	slices.Sort(files)
	for _, name := range files {
		m := c.Modules[name]
		for _, a := range m.Annotations {
			p.labelled = p.labelled || (len(a.Labels) > 0 && a.Scope != "rule")
		}
		for _, r := range m.Rules {
			p.rules = append(p.rules, r)
			p.refs[r] = r.Ref()
		}
	}
	for _, r := range p.matching(query) {
		p.of(r)
	}
	p.ready = true
	return p
}

// matching are the rules that a reference to data could mean, in order: those at,
// above and below it. A part that is no constant could be any.
func (p *Policy) matching(ref ast.Ref) []*ast.Rule {
	if out, ok := p.means[&ref[0]]; ok {
		return out
	}
	var out []*ast.Rule
	for _, r := range p.rules {
		if overlap(p.refs[r], ref) {
			out = append(out, r)
		}
	}
	if !p.ready {
		p.means[&ref[0]] = out
	}
	return out
}

func overlap(a, b ast.Ref) bool {
	for i := 1; i < min(len(a), len(b)); i++ {
		if ast.IsScalar(a[i].Value) && ast.IsScalar(b[i].Value) && a[i].Value.Compare(b[i].Value) != 0 {
			return false
		}
	}
	return true
}

// of gathers a rule's facts. Rego forbids recursion; a compiler that let one pass
// would get its rule as fallible, which only reads more.
func (p *Policy) of(r *ast.Rule) *facts {
	if f, ok := p.facts[r]; ok {
		if !f.done {
			f.fallible, f.labelled, f.paths = true, true, [][]string{nil}
		}
		return f
	}
	f := &facts{}
	p.facts[r] = f
	f.fallible = p.conflicting(r)
	for part := r; part != nil; part = part.Else {
		for _, a := range part.Annotations {
			f.labelled = f.labelled || len(a.Labels) > 0
		}
		f.labelled = f.labelled || p.labelled
		defs := definitions(part)
		see := func(s sight) { p.note(f, s, defs) }
		scanHead(part.Head, see)
		scan(part.Body, see)
	}
	slices.SortFunc(f.paths, slices.Compare[[]string])
	f.paths = slices.CompactFunc(f.paths, slices.Equal[[]string])
	f.fixed = !slices.ContainsFunc(f.paths, func(path []string) bool { return !p.isFixed(path) })
	f.done = true
	return f
}

func (p *Policy) note(f *facts, s sight, defs map[ast.Var]*ast.Term) {
	switch {
	case s.strange:
		f.fallible, f.labelled = true, true
		f.paths = append(f.paths, nil)
	case s.replaces != nil:
		if !p.with || (!p.mocked && !rooted(s.replaces)) { // all of it is known once New is done
			p.with, p.mocked = true, p.mocked || !rooted(s.replaces)
		}
	case s.call != "":
		f.fallible = f.fallible || !p.total(s.call, s.args, defs)
	case s.variable == ast.InputRootDocument.Value:
		f.paths = append(f.paths, nil)
	case s.variable == ast.DefaultRootDocument.Value:
		p.follow(f, ast.Ref{ast.DefaultRootDocument})
	case len(s.ref) > 0 && s.ref[0].Equal(ast.InputRootDocument):
		path, _ := ground(s.ref)
		f.paths = append(f.paths, path)
	case len(s.ref) > 0 && s.ref[0].Equal(ast.DefaultRootDocument):
		p.follow(f, s.ref)
	}
}

// rooted says whether a replacement's target is input or data, and no builtin.
func rooted(target *ast.Term) bool {
	if ref, ok := target.Value.(ast.Ref); ok && len(ref) > 0 {
		target = ref[0]
	}
	return target.Equal(ast.InputRootDocument) || target.Equal(ast.DefaultRootDocument)
}

func (p *Policy) follow(f *facts, ref ast.Ref) {
	for _, r := range p.matching(ref) {
		g := p.of(r)
		f.paths = append(f.paths, g.paths...)
		f.fallible, f.labelled = f.fallible || g.fallible, f.labelled || g.labelled
	}
}

// conflicting says whether a rule could give two values: several that hold at once
// with different ones, or one whose value is computed.
func (p *Policy) conflicting(r *ast.Rule) bool {
	if r.Head.RuleKind() == ast.MultiValue || r.Default {
		return false
	}
	for _, other := range p.matching(p.refs[r]) {
		if other.Head.RuleKind() == ast.MultiValue || other.Default {
			continue
		}
		for part := other; part != nil; part = part.Else {
			if part.Head.Value == nil || !ast.IsScalar(part.Head.Value.Value) || r.Head.Value == nil || part.Head.Value.Value.Compare(r.Head.Value.Value) != 0 {
				return true
			}
		}
	}
	return false
}

// totals are the builtins that can't end in an error.
var totals = []string{"eq", "equal", "neq", "lt", "lte", "gt", "gte", "internal.member_2", "internal.member_3", "type_name",
	"is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string"}

// total says whether a call can't fail. count can't of what is a collection.
func (p *Policy) total(name string, args []*ast.Term, defs map[ast.Var]*ast.Term) bool {
	if slices.Contains(totals, name) || strings.HasPrefix(name, "data.") { // a rule's own calls are its facts
		return true
	}
	if name != "count" || len(args) == 0 {
		return false
	}
	t := args[0]
	if v, ok := t.Value.(ast.Var); ok && defs[v] != nil {
		t = defs[v]
	}
	switch x := t.Value.(type) {
	case *ast.Array, ast.Set, ast.Object, ast.String, *ast.ArrayComprehension, *ast.SetComprehension, *ast.ObjectComprehension:
		return true
	case ast.Ref:
		if path, whole := ground(x); whole && x[0].Equal(ast.InputRootDocument) {
			return slices.ContainsFunc(p.lists, func(l []string) bool { return slices.Equal(l, path) })
		}
		rules := p.matching(x)
		return len(rules) > 0 && x[0].Equal(ast.DefaultRootDocument) && !slices.ContainsFunc(rules, func(r *ast.Rule) bool {
			return r.Head.RuleKind() != ast.MultiValue || !p.refs[r].Equal(x)
		})
	}
	return false
}

// isFixed says whether all of what stands at a path is fixed.
func (p *Policy) isFixed(path []string) bool {
	return slices.ContainsFunc(p.fixed, func(f []string) bool { return len(path) >= len(f) && slices.Equal(path[:len(f)], f) })
}

// ground is a reference's constant part after its head, and whether that is all of it.
func ground(ref ast.Ref) ([]string, bool) {
	var out []string
	for _, t := range ref[1:] {
		s, ok := t.Value.(ast.String)
		if !ok {
			return out, false
		}
		out = append(out, string(s))
	}
	return out, true
}

// definitions are the variables of a rule that the compiler made equal to a term.
func definitions(r *ast.Rule) map[ast.Var]*ast.Term {
	out := map[ast.Var]*ast.Term{}
	ast.WalkExprs(r, func(e *ast.Expr) bool {
		if terms, ok := e.Terms.([]*ast.Term); ok && len(terms) == 3 && terms[0].Value.String() == "eq" && !e.Negated && len(e.With) == 0 {
			if v, ok := terms[1].Value.(ast.Var); ok && out[v] == nil {
				out[v] = terms[2]
			}
		}
		return false
	})
	return out
}
