package plan

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// This file looks through rules that read one path of few values: what they say is
// found out for each of the values, so that a person's age counts only through the
// limit that it is compared with.

// derived is what a reference to rules is for each value of the one path that they read.
type derived struct {
	path    []string
	values  []ast.Value // of the path
	results []ast.Value // of the reference; nil: undefined
}

// through finds what a term that is a reference to rules, or a variable for one, is for
// each value of the path that they read. Nil: it reads something else, or can fail.
func (w *walker) through(t *ast.Term, s *scope) *derived {
	if v, ok := t.Value.(ast.Var); ok {
		if t, ok = s.rules[v]; !ok {
			return nil
		}
	}
	ref, ok := t.Value.(ast.Ref)
	if !ok || !w.fold.on || !ref[0].Equal(ast.DefaultRootDocument) || !ref.IsGround() {
		return nil
	}
	key := ref.String()
	if d, known := w.derived[key]; known {
		return d
	}
	d := w.derive(ref)
	w.derived[key] = d
	return d
}

func (w *walker) derive(ref ast.Ref) *derived {
	var path []string
	for _, r := range w.p.matching(ref) {
		f := w.p.of(r)
		if f.labelled {
			return nil
		}
		for _, p := range f.paths {
			switch {
			case w.p.isFixed(p):
			case path == nil && len(p) > 0:
				path = p
			case !slices.Equal(path, p):
				return nil
			}
		}
	}
	values := w.p.domains[strings.Join(path, ".")]
	if path == nil || len(values) == 0 {
		return nil
	}
	d := &derived{path: path, values: values}
	for _, v := range values {
		results, ok := w.fold.with(path, v).values(nil, ast.NewTerm(ref))
		if !ok || len(results) > 1 {
			return nil
		}
		d.results = append(d.results, slices.Concat(results, []ast.Value{nil})[0])
	}
	return d
}

// where is the atom that holds for the values of the path for which a result does.
func (d *derived) where(holds func(ast.Value) bool) Atom {
	in := ast.NewSet()
	for i, r := range d.results {
		if r != nil && holds(r) {
			in.Add(ast.NewTerm(d.values[i]))
		}
	}
	return Atom{Op: In, Const: in}
}

// with is a folding whose input also has a value at a path.
func (f *folding) with(path []string, v ast.Value) *folding {
	out := *f
	out.input = ast.NewTerm(inserted(f.input.Value, path, v))
	return &out
}

func inserted(into ast.Value, path []string, v ast.Value) ast.Value {
	if len(path) == 0 {
		return v
	}
	was, _ := into.(ast.Object)
	out := ast.NewObject()
	var below ast.Value
	if was != nil {
		was.Foreach(func(k, x *ast.Term) {
			if k.Equal(ast.StringTerm(path[0])) {
				below = x.Value
			} else {
				out.Insert(k, x)
			}
		})
	}
	out.Insert(ast.StringTerm(path[0]), ast.NewTerm(inserted(below, path[1:], v)))
	return out
}

// naming finds an expression by which a new variable names what rules say.
func (w *walker) naming(e *ast.Expr, s *scope) (ast.Var, *ast.Term, *derived) {
	v, t, ok := s.binds(e)
	if !ok {
		return "", nil, nil
	}
	if _, isRef := t.Value.(ast.Ref); !isRef {
		return "", nil, nil
	}
	return v, t, w.through(t, s)
}
