package policies

import (
	"context"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// MayOblige lists the obligations that the policy may put on rows of a question,
// sorted, as far as its text tells: what a rule names {"name": …, "value": …}. It is for
// telling people beforehand; what really holds is asked row by row. all is false where
// a name is made by a rule, or the rules were too much to look through.
func (g *Gate) MayOblige(ctx context.Context, q Question) (names []string, all bool) {
	in := q.fixed()
	limited, cancel := context.WithTimeout(ctx, g.deadline)
	defer cancel()
	partial, err := rego.New(rego.Query("data.consent.obligations.due[x]"), rego.Compiler(g.compiler), rego.Store(g.store), rego.Capabilities(capabilities()),
		rego.Input(map[string]any{"activation": in.Activation, "controller": in.Controller, "destination": in.Destination}),
		rego.Unknowns([]string{"input.subject", "input.consent"})).Partial(limited)
	f := &named{names: map[string]bool{}, all: true}
	if err != nil {
		f.all = false
		for _, m := range g.compiler.Modules {
			f.look(m)
		}
		return slices.Sorted(maps.Keys(f.names)), f.all
	}
	for _, b := range partial.Queries {
		f.look(b)
	}
	for _, m := range partial.Support {
		f.look(m)
	}
	f.follow(g.compiler, partial)
	return slices.Sorted(maps.Keys(f.names)), f.all
}

// named gathers the names of obligations.
type named struct {
	names map[string]bool
	all   bool
}

// look finds objects that have a name and a value.
func (f *named) look(x any) {
	ast.WalkTerms(x, func(t *ast.Term) bool {
		o, ok := t.Value.(ast.Object)
		if !ok || o.Get(ast.StringTerm("name")) == nil || o.Get(ast.StringTerm("value")) == nil {
			return false
		}
		if name, known := o.Get(ast.StringTerm("name")).Value.(ast.String); known {
			f.names[string(name)] = true
		} else {
			f.all = false
		}
		return false
	})
}

// follow looks into rules that partial evaluation left as they are.
func (f *named) follow(c *ast.Compiler, left *rego.PartialQueries) {
	seen := map[*ast.Rule]bool{}
	var refs func(x any)
	refs = func(x any) {
		ast.WalkRefs(x, func(r ast.Ref) bool {
			if !r.HasPrefix(ast.MustParseRef("data.consent")) {
				return false
			}
			for _, rule := range c.GetRulesDynamicWithOpts(r, ast.RulesOptions{}) {
				if !seen[rule] {
					seen[rule] = true
					f.look(rule)
					refs(rule)
				}
			}
			return false
		})
	}
	for _, b := range left.Queries {
		refs(b)
	}
	for _, m := range left.Support {
		refs(m)
	}
}
