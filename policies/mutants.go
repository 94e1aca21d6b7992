package policies

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/weir-cdp/weir"
)

// Mutant is a policy with one thing wrong in it. A rule that can be broken without
// any test or case noticing is one that nobody has said what it should do.
type Mutant struct {
	Where string // file:line of what is broken
	Kind  string // what was done to it
	Text  string // the rule's head, or the condition

	id   int // of the variant in the compiled modules; defaultRule: none
	rule int // that it stands for
	path string
	file string
}

// What is done to a rule.
const (
	ruleDropped      = "rule dropped"
	conditionNegated = "condition negated"
	conditionDropped = "condition dropped"
)

// mutantRoot is where rules read which mutant they are: data files can't be called so.
const mutantRoot = "weir__mutant"

// none is the id of no variant and of no rule.
const none = -1

// mutated are a policy's modules with all mutants in them, so that they are
// compiled once: each variant of a rule stands beside the original, and holds only
// while data.weir__mutant names it; the original, only while it names none of its.
type mutated struct {
	compiler *ast.Compiler
	mutants  []Mutant
	invalid  int // variants that do not compile, so that nobody could write them
}

// mutate makes every mutant that a guard can switch. Default rules can't have one:
// see withoutDefault.
func (f *files) mutate() (*mutated, error) {
	refused := map[int]bool{}
	for {
		w := &weaver{refused: refused}
		mods, err := f.plain()
		if err != nil {
			return nil, err
		}
		for _, p := range sorted(mods) {
			if !isTest(p) {
				w.module(p, mods[p])
			}
		}
		c := ast.NewCompiler().WithCapabilities(capabilities()).WithDefaultRegoVersion(ast.RegoV1).SetErrorLimit(0)
		c.Compile(mods)
		if !c.Failed() {
			return &mutated{compiler: c, mutants: w.mutants, invalid: len(refused)}, nil
		}
		before := len(refused)
		for _, e := range c.Errors {
			if id, ok := variantOf(e.Location); ok {
				refused[id] = true
			}
		}
		if len(refused) == before {
			return nil, compileError("the policy's mutants", c.Errors)
		}
	}
}

// plain parses all modules, without METADATA: mutants are asked for answers only.
func (f *files) plain() (map[string]*ast.Module, error) {
	mods := map[string]*ast.Module{}
	for _, p := range sorted(f.rego) {
		m, err := ast.ParseModuleWithOpts(p, f.rego[p], ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: capabilities()})
		if err != nil {
			return nil, weir.Errorf(weir.Invalid, "%w", err).At(p)
		}
		if m != nil {
			mods[p] = m
		}
	}
	return mods, nil
}

// withoutDefault are the mutants that lack one default rule: each is compiled by
// itself.
func (f *files) withoutDefault() ([]*mutated, error) {
	var out []*mutated
	for n := 0; ; n++ {
		mods, err := f.plain()
		if err != nil {
			return nil, err
		}
		m, ok := dropDefault(mods, n)
		if !ok {
			return out, nil
		}
		c := ast.NewCompiler().WithCapabilities(capabilities()).WithDefaultRegoVersion(ast.RegoV1)
		c.Compile(mods)
		if c.Failed() {
			continue
		}
		out = append(out, &mutated{compiler: c, mutants: []Mutant{m}})
	}
}

// dropDefault removes the nth default rule.
func dropDefault(mods map[string]*ast.Module, n int) (Mutant, bool) {
	for _, p := range sorted(mods) {
		for i, r := range mods[p].Rules {
			if !r.Default || isTest(p) {
				continue
			}
			if n == 0 {
				mods[p].Rules = slices.Delete(mods[p].Rules, i, i+1)
				return Mutant{Where: at(p, r.Location.Row), Kind: ruleDropped, Text: "default " + r.Head.String(), id: none, rule: none, file: p}, true
			}
			n--
		}
	}
	return Mutant{}, false
}

// weaver puts variants beside rules.
type weaver struct {
	refused map[int]bool
	mutants []Mutant
	ids     int
	rules   int
}

func (w *weaver) module(p string, m *ast.Module) {
	var woven []*ast.Rule
	for _, r := range m.Rules {
		if r.Default {
			woven = append(woven, r)
			continue
		}
		rule := w.rules
		w.rules++
		path := m.Package.Path.String() + "." + r.Head.Ref().GroundPrefix().String()
		w.mutants = append(w.mutants, Mutant{Where: at(p, r.Location.Row), Kind: ruleDropped, Text: r.Head.String(), id: none, rule: rule, path: path, file: p})
		for body, n := range bodySizes(r) {
			for i := range n {
				for _, kind := range []string{conditionNegated, conditionDropped} {
					v := r.Copy()
					e, ok := change(v, body, i, kind)
					if !ok {
						continue
					}
					id := w.ids
					w.ids++
					if w.refused[id] {
						continue
					}
					guard(v, fmt.Sprintf("data.%s.id == %d", mutantRoot, id))
					relocate(v, id)
					woven = append(woven, v)
					w.mutants = append(w.mutants, Mutant{Where: at(p, e.Location.Row), Kind: kind, Text: oneLine(string(e.Location.Text)), id: id, rule: rule, path: path, file: p})
				}
			}
		}
		guard(r, fmt.Sprintf("data.%s.rule != %d", mutantRoot, rule))
		woven = append(woven, r)
	}
	m.Rules = woven
	for _, r := range m.Rules {
		r.Module = m
	}
}

// guard puts a condition before a rule's own, and before those of its else rules.
func guard(r *ast.Rule, condition string) {
	for ; r != nil; r = r.Else {
		g := ast.MustParseExpr(condition)
		g.SetLocation(r.Location)
		ast.WalkTerms(g, func(t *ast.Term) bool { t.Location = r.Location; return false })
		body := ast.NewBody(g)
		for _, e := range r.Body {
			body.Append(e)
		}
		r.Body = body
	}
}

// bodySizes counts the expressions of each body of a rule, nested ones included, in
// the order in which they are walked.
func bodySizes(r *ast.Rule) []int {
	var out []int
	ast.WalkBodies(r, func(b ast.Body) bool { out = append(out, len(b)); return false })
	return out
}

// change alters one expression of one body; ok is false where that is no condition.
// It returns the expression as it was.
func change(r *ast.Rule, body, i int, kind string) (was *ast.Expr, ok bool) {
	n := -1
	ast.WalkBodies(r, func(b ast.Body) bool {
		n++
		if n != body {
			return n > body
		}
		was = b[i]
		switch {
		case !condition(was):
		case kind == conditionDropped:
			b[i], ok = ast.NewExpr(ast.BooleanTerm(true)), true
			b[i].SetLocation(was.Location)
		default:
			b[i], ok = negated(was), true
		}
		if ok {
			b[i].Index = was.Index
		}
		return true
	})
	return was, ok
}

// condition tells an expression that holds or not from one that names something.
func condition(e *ast.Expr) bool {
	if e.IsSome() || e.IsEvery() || e.IsAssignment() {
		return false
	}
	if t, ok := e.Terms.(*ast.Term); ok {
		if b, is := t.Value.(ast.Boolean); is && bool(b) {
			return false
		}
	}
	return e.Location != nil
}

// negated is `not e`, or e of `not e`.
func negated(e *ast.Expr) *ast.Expr {
	out := e.Copy()
	if out.Negated {
		out.Negated = false
		return out
	}
	if not, ok := out.Terms.(*ast.Not); ok && len(not.Body) == 1 {
		inner := not.Body[0]
		inner.With = append(inner.With, out.With...)
		return inner
	}
	not := ast.NewNot(out)
	not.Location = e.Location
	wrapped := &ast.Expr{Terms: not}
	wrapped.SetLocation(e.Location)
	return wrapped
}

// relocate marks a variant, so that an error of the compiler names it.
func relocate(r *ast.Rule, id int) {
	moved := map[*ast.Location]*ast.Location{}
	to := func(l *ast.Location) *ast.Location {
		if l == nil {
			return nil
		}
		if moved[l] == nil {
			c := *l
			c.File = variantFile + strconv.Itoa(id)
			moved[l] = &c
		}
		return moved[l]
	}
	ast.WalkNodes(r, func(n ast.Node) bool {
		if l := n.Loc(); l != nil && !strings.HasPrefix(l.File, variantFile) {
			n.SetLoc(to(l))
		}
		return false
	})
}

const variantFile = "mutant-"

func variantOf(l *ast.Location) (int, bool) {
	if l == nil {
		return 0, false
	}
	digits, ok := strings.CutPrefix(l.File, variantFile)
	id, err := strconv.Atoi(digits)
	return id, ok && err == nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// mutableData is a policy's data, with the place that names the mutant.
func (f *files) mutableData() map[string]any {
	data := maps.Clone(f.data)
	data[mutantRoot] = mutantNow(none, none)
	return data
}

func mutantNow(id, rule int) map[string]any { return map[string]any{"id": id, "rule": rule} }
