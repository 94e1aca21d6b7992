package plan

import (
	"context"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// folding evaluates fixed expressions.
type folding struct {
	ctx   context.Context
	p     *Policy
	input *ast.Term
	txn   storage.Transaction
	on    bool // there is an input, and nothing has gone wrong
}

// maxConstants is how many values an operand may have that ranges over fixed things.
const maxConstants = 256

func (p *Policy) folding(ctx context.Context, input *ast.Term) *folding {
	f := &folding{ctx: ctx, p: p, input: input}
	if input == nil || p.with {
		return f
	}
	txn, err := p.store.NewTransaction(ctx)
	f.txn, f.on = txn, err == nil
	return f
}

func (f *folding) end(ctx context.Context) {
	if f.txn != nil {
		f.p.store.Abort(ctx, f.txn)
	}
}

// possible says whether expressions have a solution together. One that fails, or
// takes too long, has: what stands after it is read.
func (f *folding) possible(conj []*ast.Expr) bool {
	found := false
	err := f.run(conj, func(topdown.QueryResult) bool { found = true; return false })
	return found || err != nil
}

// values are what a term can be where the expressions hold. False: too many, or it
// can't be told.
func (f *folding) values(conj []*ast.Expr, t *ast.Term) ([]ast.Value, bool) {
	if f.input == nil {
		return nil, true
	}
	if !f.on {
		return nil, false
	}
	name := ast.VarTerm("__constant__")
	with := append(append([]*ast.Expr{}, conj...), ast.Equality.Expr(name, t))
	found := ast.NewSet()
	err := f.run(with, func(r topdown.QueryResult) bool {
		if v := r[ast.Var("__constant__")]; v != nil {
			found.Add(v)
		}
		return found.Len() <= maxConstants
	})
	if err != nil || found.Len() > maxConstants {
		return nil, false
	}
	var out []ast.Value
	ground := true
	found.Foreach(func(v *ast.Term) { out = append(out, v.Value); ground = ground && v.IsGround() })
	return out, ground
}

// run evaluates expressions until see says no.
func (f *folding) run(conj []*ast.Expr, see func(topdown.QueryResult) bool) error {
	if err := f.ctx.Err(); err != nil {
		return err
	}
	cancel := topdown.NewCancel()
	stop := context.AfterFunc(f.ctx, cancel.Cancel)
	defer stop()
	body := make(ast.Body, len(conj))
	for i, e := range conj {
		c := *e
		c.Index = i
		body[i] = &c
	}
	q := topdown.NewQuery(body).WithCompiler(f.p.compiler).WithStore(f.p.store).WithTransaction(f.txn).WithInput(f.input).
		WithStrictBuiltinErrors(true).WithCancel(cancel)
	err := q.Iter(f.ctx, func(r topdown.QueryResult) error {
		if !see(r) {
			return errEnough
		}
		return nil
	})
	if err == errEnough { //nolint:errorlint // handed back as it is
		return nil
	}
	return err
}

type enough struct{}

func (enough) Error() string { return "enough" }

var errEnough error = enough{}
