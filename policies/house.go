package policies

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
)

// house checks what OPA itself does not: that rules tell officers what they need
// to know, that they can't fail open, and that the gate can decide by classes.
func (f *files) house(p string, m *ast.Module) []Problem {
	var out []Problem
	if dir := strings.ReplaceAll(strings.TrimPrefix(m.Package.Path.String(), "data."), ".", "/"); !strings.HasPrefix(p, dir+"/") {
		out = append(out, Problem{Where: at(p, m.Package.Location.Row), Message: "the package is not that of its folder", Next: "move the file to " + dir + "/"})
	}
	out = append(out, metadata(p, m)...)
	strictNot := slices.ContainsFunc(m.Imports, func(i *ast.Import) bool {
		s := i.Path.String()
		return s == "future.keywords.not" || s == "rego.v2"
	})
	ast.WalkExprs(m, func(e *ast.Expr) bool {
		if e.Negated && !strictNot {
			out = append(out, Problem{Where: at(p, e.Location.Row), Message: "`not` of a call on a missing value is no denial, but nothing at all", Next: "add: import future.keywords.not"})
		}
		out = append(out, f.comparison(p, e)...)
		return false
	})
	ast.WalkTerms(m, func(t *ast.Term) bool {
		if ref, ok := t.Value.(ast.Ref); ok {
			return ref.HasPrefix(ast.InputRootRef) && len(ref) > 1 // fields are fine
		}
		if v, ok := t.Value.(ast.Var); ok && v == ast.InputRootDocument.Value {
			out = append(out, Problem{Where: at(p, t.Location.Row), Message: "the rule reads the whole input, so that no two rows can be decided together", Next: "name the fields that it needs"})
		}
		return false
	})
	return out
}

// metadata checks that a rule which decides says why, by which law and what to do.
func metadata(p string, m *ast.Module) []Problem {
	var out []Problem
	for _, r := range m.Rules {
		path := m.Package.Path.String() + "." + r.Head.Ref().String()
		if !strings.HasPrefix(path, "data.consent.deny.reasons") && !strings.HasPrefix(path, "data.consent.bases.granted") {
			continue
		}
		var a *ast.Annotations
		for _, each := range r.Annotations {
			if each.Scope == "rule" {
				a = each
			}
		}
		if a == nil {
			out = append(out, Problem{Where: at(p, r.Location.Row), Message: "the rule has no METADATA", Next: "describe it: title, description, labels {code, name, law}, custom {owner, review_by, remedy}, related_resources"})
			continue
		}
		var lacks []string
		for name, v := range map[string]string{"title": a.Title, "description": a.Description, "labels.code": text(a.Labels, "code"), "labels.name": text(a.Labels, "name"),
			"labels.law": text(a.Labels, "law"), "custom.owner": text(a.Custom, "owner"), "custom.review_by": text(a.Custom, "review_by"), "custom.remedy": text(a.Custom, "remedy")} {
			if v == "" {
				lacks = append(lacks, name)
			}
		}
		if len(a.RelatedResources) == 0 {
			lacks = append(lacks, "related_resources")
		}
		if len(lacks) > 0 {
			slices.Sort(lacks)
			out = append(out, Problem{Where: at(p, r.Location.Row), Message: "the rule's METADATA lacks " + strings.Join(lacks, ", ")})
		}
		if d := text(a.Custom, "review_by"); d != "" {
			if _, err := time.Parse(time.DateOnly, d); err != nil {
				out = append(out, Problem{Where: at(p, r.Location.Row), Message: fmt.Sprintf("review_by %q is not a date", d), Next: `write it as "2027-06-30"`})
			}
		}
	}
	return out
}

// comparisons are the calls that compare two operands.
var comparisons = []string{"eq", "equal", "neq", "lt", "lte", "gt", "gte"}

// comparison checks a comparison of an input's field with a constant.
func (f *files) comparison(p string, e *ast.Expr) []Problem {
	if !e.IsCall() || !slices.Contains(comparisons, e.Operator().String()) || len(e.Operands()) != 2 {
		return nil
	}
	var out []Problem
	a, b := e.Operand(0), e.Operand(1)
	for _, pair := range [][2]*ast.Term{{a, b}, {b, a}} {
		ref, ok := pair[0].Value.(ast.Ref)
		if !ok || !ref.HasPrefix(ast.InputRootRef) {
			continue
		}
		name := ref.String()
		if _, number := pair[1].Value.(ast.Number); number && strings.HasSuffix(name, "_days") {
			out = append(out, Problem{Where: at(p, e.Location.Row), Message: fmt.Sprintf("%s is compared with a number that stands in the rule", name),
				Next: "put the number into a data file under a name that ends in _days, so that officers find it and the gate can decide by classes"})
		}
		if s, isText := pair[1].Value.(ast.String); isText {
			if enum := f.enum(ref); len(enum) > 0 && !slices.Contains(enum, string(s)) {
				out = append(out, Problem{Where: at(p, e.Location.Row), Message: fmt.Sprintf("%s is never %q", name, string(s)), Next: nearest(string(s), enum)})
			}
		}
	}
	return out
}

// enum gives the words that the schema allows for a field, none if it is free.
func (f *files) enum(ref ast.Ref) []string {
	node, _ := f.schema.(map[string]any)
	for _, t := range ref[1:] {
		s, ok := t.Value.(ast.String)
		if !ok || node == nil {
			return nil
		}
		properties, _ := node["properties"].(map[string]any)
		node, _ = properties[string(s)].(map[string]any)
	}
	var out []string
	words := func(n map[string]any) {
		list, _ := n["enum"].([]any)
		for _, w := range list {
			if s, ok := w.(string); ok {
				out = append(out, s)
			}
		}
	}
	words(node)
	if forms, ok := node["anyOf"].([]any); ok {
		for _, each := range forms {
			if m, ok := each.(map[string]any); ok {
				words(m)
			}
		}
	}
	return out
}

// duplicateCodes finds a code that labels rules of different files: a reason has
// one description.
func (f *files) duplicateCodes(mods map[string]*ast.Module) []Problem {
	var out []Problem
	first := map[string]string{}
	for _, p := range sorted(mods) {
		for _, a := range mods[p].Annotations {
			code := text(a.Labels, "code")
			if was, double := first[code]; code != "" && double && was != p {
				out = append(out, Problem{Where: at(p, a.Location.Row), Message: fmt.Sprintf("the code %s is already that of %s", code, was)})
			} else if code != "" {
				first[code] = p
			}
		}
	}
	return out
}
