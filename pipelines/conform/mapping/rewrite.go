package mapping

import (
	"strconv"
	"strings"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// The variables that stand for columns. Their names can't be written in an
// expression, so no column clashes with CEL's own names (a column `type`).
const (
	columnVar = "@c" // with the column's index
	groupVar  = "@g" // with the group's index: the map of traits.* columns
	rowVar    = "@row"
)

// addedNodes is above the ids that a parser gives.
const addedNodes = 1 << 40

// names resolves what an expression calls a column.
type names struct {
	columns map[string]int
	groups  map[string]int // "traits" where there are columns traits.*, but none traits
	order   []string       // of groups
}

func newNames(columns []Column) *names {
	n := &names{columns: map[string]int{}, groups: map[string]int{}}
	for i, c := range columns {
		n.columns[c.Name] = i
	}
	for _, c := range columns {
		for i, r := range c.Name {
			if r != '.' || i == 0 {
				continue
			}
			root := c.Name[:i]
			_, column := n.columns[root]
			if _, known := n.groups[root]; !known && !column && !strings.Contains(root, ".") {
				n.groups[root] = len(n.order)
				n.order = append(n.order, root)
			}
		}
	}
	return n
}

// rewriter replaces columns by variables and operators by our functions, and
// notes which columns are read.
type rewriter struct {
	names *names
	make  ast.ExprFactory
	read  map[int]bool // column indexes
	all   bool         // row[…] or a group is used
	loops bool         // a macro loops over a list or map
	last  int64        // id of the last node added
}

func (r *rewriter) rewrite(e ast.Expr, bound map[string]bool) {
	switch e.Kind() {
	case ast.IdentKind:
		r.ident(e, bound)
	case ast.SelectKind:
		s := e.AsSelect()
		if name, ok := qualified(e); ok && !s.IsTestOnly() {
			if i, column := r.names.columns[name]; column && !bound[root(name)] {
				r.column(e, i)
				return
			}
		}
		r.rewrite(s.Operand(), bound)
	case ast.CallKind:
		c := e.AsCall()
		if c.IsMemberFunction() {
			r.rewrite(c.Target(), bound)
		}
		for _, a := range c.Args() {
			r.rewrite(a, bound)
		}
		if c.FunctionName() == operators.Conditional {
			r.nullable(c.Args()[1:])
		}
		if ours, ok := replaced[c.FunctionName()]; ok {
			e.SetKindCase(r.make.NewCall(e.ID(), ours, c.Args()...))
		}
	case ast.ListKind:
		for _, x := range e.AsList().Elements() {
			r.rewrite(x, bound)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			r.rewrite(entry.AsMapEntry().Key(), bound)
			r.rewrite(entry.AsMapEntry().Value(), bound)
		}
	case ast.StructKind:
		for _, f := range e.AsStruct().Fields() {
			r.rewrite(f.AsStructField().Value(), bound)
		}
	case ast.ComprehensionKind:
		r.comprehension(e.AsComprehension(), bound)
	}
}

// nullable lets a branch of a ?: be null beside a text or number, which the
// checker refuses.
func (r *rewriter) nullable(branches []ast.Expr) {
	for _, b := range branches {
		if b.Kind() == ast.LiteralKind && b.AsLiteral() == types.NullValue {
			r.last++
			null := r.make.NewLiteral(addedNodes+r.last, types.NullValue)
			b.SetKindCase(r.make.NewCall(b.ID(), "dyn", null))
		}
	}
}

func (r *rewriter) ident(e ast.Expr, bound map[string]bool) {
	name := e.AsIdent()
	if bound[name] {
		return
	}
	if i, ok := r.names.columns[name]; ok {
		r.column(e, i)
		return
	}
	if g, ok := r.names.groups[name]; ok {
		r.all = true
		e.SetKindCase(r.make.NewIdent(e.ID(), groupVar+strconv.Itoa(g)))
		return
	}
	if name == "row" {
		r.all = true
		e.SetKindCase(r.make.NewIdent(e.ID(), rowVar))
	}
}

func (r *rewriter) column(e ast.Expr, i int) {
	r.read[i] = true
	e.SetKindCase(r.make.NewIdent(e.ID(), columnVar+strconv.Itoa(i)))
}

// comprehension rewrites a macro's loop, whose own variables hide columns.
func (r *rewriter) comprehension(c ast.ComprehensionExpr, bound map[string]bool) {
	r.loops = true
	r.rewrite(c.IterRange(), bound)
	r.rewrite(c.AccuInit(), bound)
	inner := map[string]bool{c.IterVar(): true, c.AccuVar(): true}
	if c.HasIterVar2() {
		inner[c.IterVar2()] = true
	}
	for b := range bound {
		inner[b] = true
	}
	r.rewrite(c.LoopCondition(), inner)
	r.rewrite(c.LoopStep(), inner)
	r.rewrite(c.Result(), inner)
}

// qualified returns the dotted name that a chain of selections spells.
func qualified(e ast.Expr) (string, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent(), true
	case ast.SelectKind:
		s := e.AsSelect()
		if s.IsTestOnly() {
			return "", false
		}
		operand, ok := qualified(s.Operand())
		return operand + "." + s.FieldName(), ok
	}
	return "", false
}

func root(name string) string {
	first, _, _ := strings.Cut(name, ".")
	return first
}
