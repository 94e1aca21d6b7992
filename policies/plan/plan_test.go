package plan

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// form is a way of reading the input that a class analysis could overlook.
type form struct {
	name, rules string
	raw         []string // paths that have to be raw, no more and no less; "*": all of the input
	shares      bool     // rows must share classes although all values differ
}

var forms = []form{
	{"iteration", `deny contains "x" if { some k; input.subject.obj[k] == "v1" }`, []string{"subject.obj"}, false},
	{"dynamic key", `deny contains "x" if input.subject[input.subject.a] == "v1"`, []string{"subject", "subject.a"}, false},
	{"alias", `deny contains "x" if { s := input.subject; s.b == true }`, nil, true},
	{"alias of an alias", `deny contains "x" if { s := input.subject; o := s.obj; o.x == "v1" }`, nil, true},
	{"alias that escapes", `deny contains "x" if { s := input.subject; [s] == [{"a": "v1"}] }`, []string{"subject"}, false},
	{"bare input", `deny contains "x" if { i := input; i.subject.b }` + "\n" + `deny contains "y" if count(input) > 2`, []string{"*"}, false},
	{"input to a function", `f(i) if i.subject.b == true` + "\n" + `deny contains "x" if f(input)`, []string{"*"}, false},
	{"subtree to a function", `f(s) if s.b == true` + "\n" + `deny contains "x" if f(input.subject)`, []string{"subject"}, false},
	{"object.get", `deny contains "x" if object.get(input.subject, "b", false) == true`, []string{"subject"}, false},
	{"walk", `deny contains "x" if { walk(input, [p, v]); v == "v1" }`, []string{"*"}, false},
	{"walk of a subtree", `deny contains "x" if { walk(input.subject.obj, [p, v]); v == "v1" }`, []string{"subject.obj"}, false},
	{"with a constant", `h if input.subject.a == "v1"` + "\n" + `deny contains "x" if { h with input.subject.b as true; input.subject.c == "v2" }`, nil, true},
	{"with another field", `h if input.subject.a == "v1"` + "\n" + `deny contains "x" if h with input.subject.a as input.subject.c`, []string{"subject.c"}, false},
	{"with the fixed part replaced", `h if { input.fixed.p == "other"; input.subject.b == true }` + "\n" + `deny contains "x" if h with input.fixed.p as "other"`, nil, true},
	{"with data replaced", `h if input.subject.n <= data.limits.small.max` + "\n" + `deny contains "x" if h with data.limits.small.max as input.subject.c`, []string{"subject.c", "subject.n"}, false},
	{"with all replaced", `h if input.b == true` + "\n" + `deny contains "x" if h with input as input.subject`, []string{"subject"}, false},
	{"with a function replaced", `g(x) := 0` + "\n" + `h if count(input.subject.a) == 0` + "\n" + `deny contains "x" if { h with count as g }`, []string{"subject.a"}, false},
	{"comprehension", `deny contains "x" if count([1 | input.subject.n > 3]) == 1`, nil, true},
	{"comprehension of a value", `deny contains "x" if { xs := [x | x := input.subject.a]; xs[0] == "v1" }`, []string{"subject.a"}, false},
	{"comprehension over a list", `deny contains "x" if count({v | some v in input.subject.list}) > 1`, []string{"subject.list"}, false},
	{"template", `deny contains $"{input.subject.a} is it" if input.subject.b == true`, []string{"subject.a"}, false},
	{"sprintf", `deny contains sprintf("%v days", [input.subject.n]) if input.subject.n > 3`, []string{"subject.n"}, false},
	{"else", `lvl := 1 if input.subject.a == "v1" else := 2 if input.subject.b == true else := 3 if input.subject.c == "v2"` + "\n" + `deny contains "x" if lvl == 2`, nil, true},
	{"else after what can't hold", `lvl := 1 if input.fixed.p == "nope" else := 2 if input.subject.b == true` + "\n" + `deny contains "x" if lvl == 2`, nil, true},
	{"dynamic rule", `deny contains "x" if data.other[input.subject.a]`, []string{"subject.a"}, false},
	{"whole package", `deny contains "x" if count(object.keys(data.other)) > 1`, nil, true},
	{"import of input", `deny contains "x" if subj.b == true`, nil, true},
	{"not", `deny contains "x" if not input.subject.b == true`, nil, true},
	{"not of several", `deny contains "x" if not ok` + "\n" + `ok if { input.subject.a != "v1"; input.subject.b }`, nil, true},
	{"every", `deny contains "x" if every v in input.subject.list { v == input.subject.a }`, []string{"subject.a", "subject.list"}, false},
	{"every over what is fixed", `deny contains "x" if every r in input.fixed.regimes { input.subject.a != r }`, []string{"subject.a"}, false},
	{"default", `default p := "none"` + "\n" + `p := "x" if input.subject.a == "v1"` + "\n" + `deny contains p`, nil, true},
	{"defined", `deny contains "x" if input.subject.a`, nil, true},
	{"defined and bound", `deny contains "x" if _ = input.subject.a`, nil, true},
	{"defined below a leaf", `deny contains "x" if not input.subject.obj.x.deeper`, nil, true},
	{"membership", `deny contains "x" if input.subject.a in {"v1", "v2"}`, nil, true},
	{"membership of a constant", `deny contains "x" if "v1" in input.subject.list`, []string{"subject.list"}, false},
	{"constants on the left", `deny contains "x" if 3 < input.subject.n` + "\n" + `deny contains "y" if 5 >= input.subject.n` + "\n" + `deny contains "z" if "v1" == input.subject.a`, nil, true},
	{"two fields compared", `deny contains "x" if input.subject.a == input.subject.c`, []string{"subject.a", "subject.c"}, false},
	{"pattern", `deny contains "x" if ["v1", input.subject.c] = [input.subject.a, "v2"]`, []string{"subject.a", "subject.c"}, false},
	{"sets", `deny contains "x" if count({input.subject.a} & {"v1"}) == 1`, []string{"subject.a"}, false},
	{"index", `deny contains "x" if input.subject.list[0] == "v1"`, []string{"subject.list"}, false},
	{"key of data", `deny contains "x" if data.names[input.subject.a] == 1`, []string{"subject.a"}, false},
	{"limit of data", `deny contains "x" if input.subject.n <= data.limits[input.fixed.p].max`, nil, true},
	{"limits of what is fixed", `deny contains "x" if { some r in input.fixed.regimes; input.subject.n < data.limits[r].max }`, nil, true},
	{"limit by a field", `deny contains "x" if input.subject.n < data.limits[input.subject.a].max`, []string{"subject.a", "subject.n"}, false},
	{"limit of a rule", `top := data.limits[input.fixed.p].max + 1` + "\n" + `deny contains "x" if input.subject.n < top`, nil, true},
	{"function with patterns", `f("v1") := 1` + "\n" + `f("v2") := 2` + "\n" + `deny contains "x" if f(input.subject.a) == 2`, []string{"subject.a"}, false},
	{"rule as a document", `sub := input.subject` + "\n" + `deny contains "x" if sub.b == true`, []string{"subject"}, false},
	{"object of rules", `p[input.subject.a] := 1 if input.subject.b == true` + "\n" + `deny contains "x" if p.v1 == 1`, []string{"subject.a"}, false},
	{"and, or", `deny contains "x" if input.subject.a == "v1" and input.subject.b == true` + "\n" + `deny contains "y" if input.subject.c == "v1" or input.subject.a == "v2"`, nil, true},
	{"an error that leads nowhere", `deny contains "x" if { input.subject.a == "v1"; to_number(input.subject.c) > 3; input.fixed.p == "nope" }`, []string{"subject.c"}, false},
	{"an error that is not evaluated", `deny contains "x" if { to_number(input.subject.c) > 3; data.limits[input.fixed.p].nothing == 1; input.subject.a == "v1" }`, []string{"subject.c"}, false},
	{"an error behind what is fixed", `deny contains "x" if { input.fixed.p == "nope"; to_number(input.subject.c) > 3 }`, nil, true},
	{"a conflict that leads nowhere", `lvl := 1 if input.subject.a == "v1"` + "\n" + `lvl := 2 if input.subject.b == true` + "\n" + `deny contains "x" if { lvl > 5; input.fixed.p == "nope" }`, nil, true},
	{"a conflict that is evaluated", `lvl := 1 if input.subject.a == "v1"` + "\n" + `lvl := 2 if input.subject.b == true` + "\n" + `deny contains "x" if { lvl > 5; data.limits[input.fixed.p].nothing == 1 }`, nil, true},
	{"labels that are evaluated", "# METADATA\n# labels:\n#   code: L1\nlab if input.subject.a == \"v1\"\n" + `deny contains "x" if { lab; data.limits[input.fixed.p].nothing == 1 }`, nil, true},
	{"labels that lead nowhere", "# METADATA\n# labels:\n#   code: L1\nlab if input.subject.a == \"v1\"\n" + `deny contains "x" if { lab; input.fixed.p == "nope" }`, nil, true},
	{"a rule that can't hold", `never if { input.subject.a == "v1"; input.fixed.p == "nope" }` + "\n" + `deny contains "x" if { never; input.subject.b == true }` + "\n" + `deny contains "y" if not never`, nil, true},
	{"through a rule of one path", `years := data.years[input.subject.band]` + "\n" + `years := 18 if input.subject.band == "unknown"` + "\n" + `deny contains "x" if years < data.limits[input.fixed.p].max` + "\n" +
		`deny contains "y" if not years` + "\n" + `deny contains "z" if { some r in input.fixed.regimes; data.limits[r].max > years }`, nil, true},
	{"through a rule of one path to its value", `years := data.years[input.subject.band]` + "\n" + `deny contains years if years > 2`, []string{"subject.band"}, false},
	{"through a rule of one path that can conflict", `years := data.years[input.subject.band]` + "\n" + `years := 7 if input.subject.band == "adult"` + "\n" + `deny contains "x" if years < 5`, []string{"subject.band"}, false},
	{"through a rule of two paths", `years := data.years[input.subject.band] if input.subject.b == true` + "\n" + `deny contains "x" if years < 5`, []string{"subject.band"}, false},
	{"through a function", `years(b) := data.years[b]` + "\n" + `deny contains "x" if years(input.subject.band) < 5`, []string{"subject.band"}, false},
	{"through a set of rules", `kinds contains "old" if input.subject.band == "adult"` + "\n" + `kinds contains "any"` + "\n" + `deny contains "x" if "old" in kinds` + "\n" + `deny contains "y" if kinds == {"any"}`, nil, true},
	{"the fixed part alone", `deny contains "x" if input.fixed.p in {"small"}`, nil, true},
	{"a read of nothing", `deny contains "x" if input.subject.a == data.limits[input.fixed.p].nothing`, nil, true},
}

func source(f form) string {
	imports := "import future.keywords.not\nimport input.subject as subj\n"
	if f.name == "and, or" {
		imports = "import rego.v2\nimport input.subject as subj\n"
	}
	return "package t\n\n" + imports + "\nresult := {\"deny\": deny}\n\nunused if subj\n\n" + f.rules + "\n"
}

const otherSource = "package other\n\nv1 if input.subject.c == \"v1\"\n\nv2 if input.subject.b == true\n"

// kit is one form compiled.
type kit struct {
	policy *Policy
	query  rego.PreparedEvalQuery
}

func build(t testing.TB, f form) kit {
	t.Helper()
	mods := map[string]*ast.Module{}
	for name, src := range map[string]string{"t.rego": source(f), "other.rego": otherSource} {
		m, err := ast.ParseModuleWithOpts(name, src, ast.ParserOptions{ProcessAnnotation: true, RegoVersion: ast.RegoV1})
		if err != nil {
			t.Fatal(err)
		}
		mods[name] = m
	}
	c := ast.NewCompiler()
	if c.Compile(mods); c.Failed() {
		t.Fatal(c.Errors)
	}
	store := inmem.NewFromObjectWithOpts(map[string]any{"limits": map[string]any{"small": map[string]any{"max": 3}, "big": map[string]any{"max": 6.5}},
		"names": map[string]any{"v1": 1, "v3": 2}, "years": map[string]any{"child": 1, "young": 4, "adult": 9}}, inmem.OptReturnASTValuesOnRead(true))
	p := New(c, store, ast.MustParseRef("data.t.result"), [][]string{{"fixed"}}, nil, map[string][]ast.Value{"subject.band": bands})
	q, err := rego.New(rego.Query("data.t.result"), rego.Compiler(c), rego.Store(store), rego.StrictBuiltinErrors(true)).PrepareForEval(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return kit{p, q}
}

// answer is all that a policy can say of an input: its result, an error, and labels.
func (k kit) answer(t testing.TB, input ast.Value) string {
	t.Helper()
	var labels topdown.EvaluatedRuleTracker
	rs, err := k.query.Eval(t.Context(), rego.EvalParsedInput(input), rego.EvalEvaluatedRuleTracker(&labels))
	if err != nil {
		return "error"
	}
	return fmt.Sprint(rs, labels.Labels)
}

var bands = []ast.Value{ast.String("unknown"), ast.String("child"), ast.String("young"), ast.String("adult")}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// subject is a random one: every field may be absent, null or of another type.
func subject(r *rand.Rand) map[string]any {
	s := map[string]any{
		"a": pick[any](r, "v1", "v2", "v3", "", nil, false, 4), "b": pick[any](r, true, true, false, nil, "true"), "c": pick[any](r, "v1", "v2", "7", "1", nil, 9),
		"n":    pick[any](r, 0, 1, 2, 3, 4, 5, 6, 7, 8, 2.5, 6.5, "unknown", nil, true),
		"list": pick[any](r, []any{}, []any{"v1"}, []any{"v1", "v2"}, []any{"v2", "v2"}, "v1", nil),
		"obj":  pick[any](r, map[string]any{}, map[string]any{"x": "v1"}, map[string]any{"y": "v1", "x": "v2"}, map[string]any{"x": map[string]any{"deeper": 1}}, nil),
	}
	for _, k := range []string{"a", "b", "c", "n", "list", "obj"} {
		if r.IntN(6) == 0 {
			delete(s, k)
		}
	}
	s["band"] = string(pick(r, bands...).(ast.String)) // always there, and one of its domain
	return s
}

// class is a row's key by a plan: of each path whether it is there, its atoms' truth,
// or its value.
func class(p *Plan, input ast.Value) string {
	var b strings.Builder
	for _, read := range p.Reads {
		v := input
		for _, step := range read.Path {
			var t *ast.Term
			if o, ok := v.(ast.Object); ok {
				t = o.Get(ast.StringTerm(step))
			}
			if t == nil {
				v = nil
				break
			}
			v = t.Value
		}
		switch {
		case v == nil:
			b.WriteString("|absent")
		case read.Raw:
			b.WriteString("|" + v.String())
		default:
			b.WriteString("|")
			for _, a := range read.Atoms {
				fmt.Fprint(&b, a.Holds(v), " ")
			}
		}
	}
	return b.String()
}

func known(t testing.TB, p string, regimes ...string) *ast.Term {
	t.Helper()
	v, err := ast.InterfaceToValue(map[string]any{"fixed": map[string]any{"p": p, "regimes": regimes}})
	if err != nil {
		t.Fatal(err)
	}
	return ast.NewTerm(v)
}

// Of two inputs of one class the policy says the same, in every form of rule.
func TestAPlanOverlooksNothing(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			k, r := build(t, f), rand.New(rand.NewPCG(7, 7))
			for _, fixed := range [][]string{{"small", "small", "big"}, {"big"}, {"other", "v1", "v2"}} {
				p := k.policy.Plan(t.Context(), known(t, fixed[0], fixed[1:]...))
				first := map[string][2]string{}
				for range 1500 {
					in, err := ast.InterfaceToValue(map[string]any{"fixed": map[string]any{"p": fixed[0], "regimes": fixed[1:]}, "subject": subject(r)})
					if err != nil {
						t.Fatal(err)
					}
					c, says := class(p, in), k.answer(t, in)
					if was, met := first[c]; met && was[0] != says {
						t.Fatalf("%s: one class for\n%s\n%s\nand\n%s\n%s\nby %+v", fixed[0], was[1], was[0], in, says, p.Reads)
					} else if !met {
						first[c] = [2]string{says, in.String()}
					}
				}
				if f.shares && len(first) > 100 {
					t.Errorf("%s: %d classes of 1500 rows: %+v", fixed[0], len(first), p.Reads)
				}
			}
			if got := rawPaths(k.policy.Plan(t.Context(), known(t, "small", "small", "big"))); !slices.Equal(got, f.raw) {
				t.Errorf("raw %v, want %v", got, f.raw)
			}
		})
	}
}

func rawPaths(p *Plan) []string {
	var out []string
	for _, r := range p.Reads {
		switch {
		case r.Raw && len(r.Path) == 0:
			return []string{"*"}
		case r.Raw:
			out = append(out, strings.Join(r.Path, "."))
		}
	}
	return out
}

// Whatever cuts the folding short, the plan only reads more.
func TestAPlanThatIsCutShortReadsMore(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, f := range forms {
		k, r := build(t, f), rand.New(rand.NewPCG(8, 8))
		p := k.policy.Plan(ended, known(t, "small", "small"))
		first := map[string]string{}
		for range 300 {
			in, err := ast.InterfaceToValue(map[string]any{"fixed": map[string]any{"p": "small", "regimes": []string{"small"}}, "subject": subject(r)})
			if err != nil {
				t.Fatal(err)
			}
			c, says := class(p, in), k.answer(t, in)
			if was, met := first[c]; met && was != says {
				t.Fatalf("%s: %s and %s are one class", f.name, was, says)
			}
			first[c] = says
		}
	}
}

// The officer is told the expression that makes a path raw.
func TestAPlanNamesTheExpression(t *testing.T) {
	k := build(t, form{name: "x", rules: "ok if input.subject.n > 3\n\n" + `deny contains "x" if {` + "\n\tok\n\tsprintf(\"%v\", [input.subject.n]) == \"5\"\n}"})
	for _, in := range []*ast.Term{known(t, "small"), nil} {
		r := k.policy.Plan(t.Context(), in).Of("subject", "n")
		if !r.Raw || r.Where != "t.rego:14" || !strings.Contains(r.Expr, "sprintf") {
			t.Errorf("%+v", r)
		}
	}
	k = build(t, form{name: "x", rules: `deny contains "x" if input.subject.n > data.limits[input.fixed.p].max`})
	if p := k.policy.Plan(t.Context(), nil); len(rawPaths(p)) > 0 {
		t.Errorf("a limit that is fixed costs nothing: %+v", p.Reads)
	}
}

func TestAtoms(t *testing.T) {
	set := ast.NewSet(ast.IntNumberTerm(1), ast.StringTerm("a"))
	for _, c := range []struct {
		a    Atom
		v    ast.Value
		want bool
	}{
		{Atom{Eq, ast.Number("3")}, ast.Number("3.0"), true}, {Atom{Neq, ast.Number("3")}, ast.Null{}, true}, {Atom{Lt, ast.Number("3")}, ast.Null{}, true},
		{Atom{Lte, ast.Number("730")}, ast.String("unknown"), false}, {Atom{Gt, ast.Number("730")}, ast.String("unknown"), true}, {Atom{Gte, ast.Number("3")}, ast.Number("3"), true},
		{Atom{In, set}, ast.Number("1"), true}, {Atom{In, set}, ast.String("b"), false}, {Atom{In, ast.String("ab")}, ast.String("a"), false},
		{Atom{Op: Truth}, ast.Boolean(false), false}, {Atom{Op: Truth}, ast.Null{}, true},
	} {
		if got := c.a.Holds(c.v); got != c.want {
			t.Errorf("%v %+v: %v", c.v, c.a, got)
		}
	}
}

// What is compared as a whole is told apart by each of its parts.
func TestWholesComparedWithConstants(t *testing.T) {
	whole := &Plan{Reads: []Read{{Path: []string{"subject"}, Atoms: []Atom{{Op: Neq, Const: ast.NewObject()}}}}}
	if !whole.Of("subject", "a").Raw || whole.Of("consent", "a").Raw {
		t.Error("a part of a compared whole is not raw, or another path is")
	}
	there := &Plan{Reads: []Read{{Path: []string{"subject"}, Atoms: []Atom{{Op: Truth}}}}}
	if there.Of("subject", "a").Raw {
		t.Error("that the whole is there says nothing of its parts")
	}
}
