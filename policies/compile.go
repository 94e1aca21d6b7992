package policies

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/weir-cdp/weir"
)

// builtins are the functions that a rule may call: pure ones, whose cost is
// bounded by their operands. A list of what is allowed, so that what a later OPA
// adds is not.
var builtins = []string{
	"abs", "all", "and", "any", "array.concat", "array.reverse", "array.slice", "assign", "ceil", "concat", "contains",
	"count", "div", "endswith", "eq", "equal", "floor", "format_int", "gt", "gte", "indexof", "internal.member_2",
	"internal.member_3", "internal.print", "internal.template_string", "internal.test_case", "intersection", "is_array", "is_boolean", "is_null", "json.remove",
	"is_number", "is_object", "is_set", "is_string", "lower", "lt", "lte", "max", "min", "minus", "mul", "neq", "object.get",
	"object.keys", "object.remove", "object.union", "or", "plus", "print", "rem", "replace", "round", "set_diff", "sort", "split", "sprintf", "startswith",
	"strings.any_prefix_match", "strings.any_suffix_match", "substring", "sum", "to_number", "trim", "trim_left", "trim_prefix",
	"trim_right", "trim_space", "trim_suffix", "type_name", "union", "upper",
}

// capabilities is what rules may do: no network, no clock, no chance.
func capabilities() *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion()
	c.Builtins = slices.DeleteFunc(c.Builtins, func(b *ast.Builtin) bool { return !slices.Contains(builtins, b.Name) })
	c.AllowNet = []string{} // nil would allow every host
	return c
}

// compiler compiles strictly, against the input's schema where there is one.
func (f *files) compiler(tests bool) (*ast.Compiler, ast.Errors) {
	mods, problems := f.modules(tests)
	if len(problems) > 0 {
		return nil, problems
	}
	c := f.newCompiler()
	c.Compile(mods)
	if c.Failed() {
		return nil, c.Errors
	}
	return c, nil
}

func (f *files) newCompiler() *ast.Compiler {
	c := ast.NewCompiler().WithCapabilities(capabilities()).WithStrict(true).WithEnablePrintStatements(false).
		WithDefaultRegoVersion(ast.RegoV1)
	if f.schema != nil {
		set := ast.NewSchemaSet()
		set.Put(ast.SchemaRootRef, f.schema)
		c = c.WithSchemas(set).WithUseTypeCheckAnnotations(true)
	}
	return c
}

// compileError makes OPA's errors one of ours: the first with its place, and how
// many more there are.
func compileError(name string, errs ast.Errors) error {
	slices.SortFunc(errs, func(a, b *ast.Error) int { return strings.Compare(where(a), where(b)) })
	e := weir.Errorf(weir.Invalid, "the policy does not compile: %s", explainCompile(errs[0].Message)).At(name + "/" + where(errs[0]))
	if len(errs) > 1 {
		return e.Then(fmt.Sprintf("correct it and %d more: weir policy check", len(errs)-1))
	}
	return e.Then("correct it: weir policy check")
}

func where(e *ast.Error) string {
	if e.Location == nil {
		return ""
	}
	return at(e.Location.File, e.Location.Row)
}

// explainCompile adds why, where OPA's message does not tell.
func explainCompile(message string) string {
	if fn, ok := strings.CutPrefix(message, "undefined function "); ok && !strings.HasPrefix(fn, "data.") {
		return message + ": policies may call pure functions only (no network, clock or randomness)"
	}
	return message
}
