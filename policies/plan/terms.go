package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// raw reads a term's value.
func (w *walker) raw(t *ast.Term, s *scope) {
	if t == nil {
		return
	}
	if path, ok := s.path(t); ok {
		w.rawPath(path)
		return
	}
	switch v := t.Value.(type) {
	case ast.Null, ast.Boolean, ast.Number, ast.String:
	case ast.Var:
		if v == ast.InputRootDocument.Value {
			w.rawPath(nil)
		} else if v == ast.DefaultRootDocument.Value {
			w.rules(ast.Ref{ast.DefaultRootDocument})
		} else if rule, ok := s.rules[v]; ok {
			w.raw(rule, s)
		}
	case ast.Ref:
		w.ref(v, s)
	case *ast.Array:
		v.Foreach(func(e *ast.Term) { w.raw(e, s) })
	case ast.Set:
		v.Foreach(func(e *ast.Term) { w.raw(e, s) })
	case ast.Object:
		v.Foreach(func(k, e *ast.Term) { w.raw(k, s); w.raw(e, s) })
	case *ast.ArrayComprehension:
		w.comprehension(v.Body, s, v.Term)
	case *ast.SetComprehension:
		w.comprehension(v.Body, s, v.Term)
	case *ast.ObjectComprehension:
		w.comprehension(v.Body, s, v.Key, v.Value)
	case ast.Call:
		w.call(v, s)
	default:
		w.rawPath(nil)
	}
}

func (w *walker) comprehension(b ast.Body, s *scope, heads ...*ast.Term) {
	in := s.inner()
	w.body(b, in)
	for _, h := range heads {
		w.raw(h, in)
	}
}

func (w *walker) ref(ref ast.Ref, s *scope) {
	head := ref[0]
	switch v := head.Value.(type) {
	case ast.Var:
		path, alias := s.aliases[v]
		rest, _ := ground(ref)
		switch {
		case head.Equal(ast.InputRootDocument):
			w.rawPath(rest)
		case alias:
			w.rawPath(append(slices.Clip(path), rest...))
		case head.Equal(ast.DefaultRootDocument):
			w.rules(ref)
		case s.rules[v] != nil:
			w.raw(s.rules[v], s)
		}
	default:
		w.raw(head, s)
	}
	for _, e := range ref[1:] {
		w.raw(e, s)
	}
}

func (w *walker) rules(ref ast.Ref) {
	for _, r := range w.p.matching(ref) {
		w.rule(r)
	}
}

func (w *walker) read(path []string) *Read {
	k := strings.Join(path, "\x00")
	if w.reads[k] == nil {
		w.reads[k] = &Read{Path: slices.Clone(path)}
	}
	return w.reads[k]
}

func (w *walker) atom(path []string, a Atom) {
	r := w.read(path)
	r.Atoms = append(r.Atoms, a)
}

func (w *walker) rawPath(path []string) {
	if w.p.isFixed(path) {
		return
	}
	r := w.read(path)
	if r.Raw {
		return
	}
	r.Raw = true
	if w.at != nil && w.at.Location != nil {
		r.Where = fmt.Sprintf("%s:%d", w.at.Location.File, w.at.Location.Row)
		r.Expr = strings.Join(strings.Fields(string(w.at.Location.Text)), " ")
	}
}
