package policies

import (
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// The functions that make a text or list longer than what they are given. A rule that
// doubles one forty times would take the whole machine long before an evaluation's
// deadline is looked at, so a result is bounded: beyond it the function fails, and the
// evaluation with it (D31).
var growing = []string{"array.concat", "concat", "format_int", "internal.template_string", "replace", "sprintf"}

// maxResult bounds a text's bytes and a list's items: thousands of times what a rule
// about one person needs.
const maxResult = 1 << 20

func init() {
	for _, name := range growing {
		grow := topdown.GetBuiltin(name)
		topdown.RegisterBuiltinFunc(name, func(c topdown.BuiltinContext, operands []*ast.Term, iter func(*ast.Term) error) error {
			size := 0
			for _, o := range operands {
				size += sizeOf(o)
			}
			if name == "replace" && len(operands) == 3 { // each place may become as long as what is put there
				size = sizeOf(operands[0]) * (1 + sizeOf(operands[2]))
			}
			if size > maxResult {
				return fmt.Errorf("%s makes a value of more than %d bytes or items", name, maxResult)
			}
			return grow(c, operands, iter)
		})
	}
}

// sizeOf is a text's bytes; of a list and a set that of all in it, and how many.
func sizeOf(t *ast.Term) int {
	switch v := t.Value.(type) {
	case ast.String:
		return len(v)
	case *ast.Array:
		n := v.Len()
		v.Foreach(func(x *ast.Term) { n = min(n+sizeOf(x), 2*maxResult) })
		return n
	case ast.Set:
		n := v.Len()
		v.Foreach(func(x *ast.Term) { n = min(n+sizeOf(x), 2*maxResult) })
		return n
	}
	return 1
}
