package policies

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
)

// Problem is something wrong with a policy's files.
type Problem struct {
	Where   string // file:line, within the policy's folder
	Message string
	Next    string // what to do; may be empty
	// Warning says that the policy rules all the same.
	Warning bool `json:",omitempty"`
}

func (p Problem) String() string {
	s := p.Where + ": " + p.Message
	if p.Warning {
		s = p.Where + ": warning: " + p.Message
	}
	if p.Next != "" {
		s += "; " + p.Next
	}
	return s
}

// Check reads a policy's folder ("": the built-in policy) and says everything
// that is wrong with it, sorted by place. It decides nothing; Load alone says
// whether the policy may rule. An error means that the folder can't be read.
func Check(dir string) ([]Problem, error) {
	fsys, _, err := open(dir)
	if err != nil {
		return nil, err
	}
	if !exists(fsys, "data") && !exists(fsys, "consent") {
		return nil, weir.Errorf(weir.NotFound, "%s holds no policy: neither data/ nor consent/ is in it", dir).
			Then("name the folder policies/ of a project; weir policy init writes one")
	}
	return check(fsys)
}

func exists(fsys fs.FS, name string) bool {
	_, err := fs.Stat(fsys, name)
	return err == nil
}

func check(fsys fs.FS) ([]Problem, error) {
	f, err := read(fsys)
	if f == nil {
		return nil, err
	}
	out := problemsOf(err)
	for _, p := range sorted(f.nodes) {
		out = append(out, yaml11(p, f.nodes[p])...)
	}
	out = append(out, f.checkRego()...)
	vocab, err := vocabularyOf(f)
	out = append(out, problemsOf(err)...)
	if vocab != nil {
		vocab.unsure = slices.ContainsFunc(out, func(p Problem) bool { return strings.HasPrefix(p.Where, "data/retention.yaml") })
		cases, err := f.parseCases(vocab)
		out = append(append(out, problemsOf(err)...), f.strangeReasons(cases)...)
	}
	slices.SortStableFunc(out, byPlace)
	return slices.Compact(out), nil
}

// strangeReasons finds cases that want a reason which no rule gives.
func (f *files) strangeReasons(cases []Case) []Problem {
	mods, errs := f.modules(false)
	if len(errs) > 0 {
		return nil
	}
	known := []string{EvaluationError, Untrusted, "no_basis", "unknown_purpose"}
	for _, m := range mods {
		for _, a := range m.Annotations {
			if code := text(a.Labels, "code"); code != "" {
				known = append(known, code)
			}
		}
	}
	var out []Problem
	for _, c := range cases {
		for _, code := range c.reasons {
			if !slices.Contains(known, code) {
				out = append(out, Problem{Where: at(c.File, c.reasonsLine), Message: "no rule has the code " + code,
					Next: "weir policy docs lists the codes"})
			}
		}
	}
	return out
}

func byPlace(a, b Problem) int {
	fa, la, _ := strings.Cut(a.Where, ":")
	fb, lb, _ := strings.Cut(b.Where, ":")
	if c := strings.Compare(fa, fb); c != 0 {
		return c
	}
	if c := len(la) - len(lb); c != 0 { // line numbers: the shorter is the smaller
		return c
	}
	return strings.Compare(la+a.Message, lb+b.Message)
}

// problemsOf unfolds joined errors.
func problemsOf(err error) []Problem {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var out []Problem
		for _, e := range many.Unwrap() {
			out = append(out, problemsOf(e)...)
		}
		return out
	}
	var e *weir.Error
	if !errors.As(err, &e) {
		return []Problem{{Message: err.Error()}}
	}
	return []Problem{{Where: e.Where, Message: e.Message, Next: e.Next}}
}

// checkRego parses, compiles strictly, and checks layout and house rules.
func (f *files) checkRego() []Problem {
	var out []Problem
	for _, p := range sorted(f.rego) {
		out = append(out, formatted(p, f.rego[p])...)
	}
	mods, errs := f.modules(true)
	if len(errs) == 0 {
		_, errs = f.compiler(true)
		// Compiling rewrites; the checks below look at what was written.
		mods, _ = f.modules(false)
	}
	for _, e := range errs {
		out = append(out, Problem{Where: where(e), Message: explainCompile(e.Message), Next: f.suggest(e)})
	}
	if len(errs) > 0 {
		return out
	}
	for _, p := range sorted(mods) {
		out = append(out, f.house(p, mods[p])...)
	}
	return append(append(out, f.duplicateCodes(mods)...), f.costs()...)
}

// costs warns of expressions that keep rows from being decided together.
func (f *files) costs() []Problem {
	c, errs := f.compiler(false)
	if len(errs) > 0 || len(c.GetRulesExact(ast.MustParseRef(query))) == 0 {
		return nil
	}
	var out []Problem
	for _, x := range costs(reading(c, inmem.NewFromObjectWithOpts(f.data, inmem.OptReturnASTValuesOnRead(true)))) {
		out = append(out, Problem{Where: x.Where, Warning: true,
			Message: fmt.Sprintf("%s is read as a value here, so that rows with different numbers of days can't be decided together: every run takes longer", x.Reads),
			Next:    "compare it with a number of a data file instead: " + x.Expr})
	}
	return out
}

// Failing says whether any problem is more than a warning.
func Failing(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}

// suggest names the input's field nearest to one that does not exist.
func (f *files) suggest(e *ast.Error) string {
	detail, ok := e.Details.(*ast.RefErrInvalidDetail)
	if !ok || len(detail.Ref) == 0 || detail.Pos >= len(detail.Ref) {
		return ""
	}
	written, isText := detail.Ref[detail.Pos].Value.(ast.String)
	if !isText {
		return ""
	}
	var known []string
	for _, v := range detail.OneOf {
		if s, ok := v.(ast.String); ok {
			known = append(known, string(s))
		}
	}
	if len(known) == 0 {
		return ""
	}
	slices.Sort(known)
	return nearest(string(written), known)
}

// yaml11 finds words that YAML 1.1 reads as booleans and YAML 1.2 as texts: NO is
// Norway here and false in another tool.
func yaml11(p string, n *yaml.Node) []Problem {
	var out []Problem
	if n.Kind == yaml.ScalarNode && n.Style == 0 {
		switch strings.ToLower(n.Value) {
		case "yes", "no", "on", "off", "y", "n":
			out = append(out, Problem{Where: at(p, n.Line), Message: fmt.Sprintf("%s is a text here, and a boolean to YAML 1.1", n.Value),
				Next: fmt.Sprintf("write %q if you mean the text, true or false if you mean a boolean", n.Value)})
		}
	}
	for _, c := range n.Content {
		out = append(out, yaml11(p, c)...)
	}
	return out
}
