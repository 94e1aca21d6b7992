package arch

import (
	"bytes"
	"go/ast"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	for _, p := range packages(t) {
		says := slices.ContainsFunc(p.files, func(f source) bool {
			return !f.isTest() && f.syntax.Doc != nil && len(f.syntax.Doc.Text()) > 40
		})
		if p.name != "" && !says {
			t.Errorf("%s has no package comment: say in doc.go its purpose, invariants and neighbours", p.path)
		}
	}
}

func TestNamesOfPackages(t *testing.T) {
	vague := []string{"util", "utils", "common", "shared", "helper", "helpers", "model", "models", "types", "base", "misc", "core", "internal", "lib"}
	for _, p := range packages(t) {
		// The probabilistic model is what its field calls it.
		if slices.Contains(vague, p.name) && p.path != "pipelines/resolve/model" {
			t.Errorf("package %s in %s: name it by what it does", p.name, p.path)
		}
		last := filepath.Base(p.path)
		if p.name != "" && p.name != "main" && p.path != "." && p.name != last {
			t.Errorf("package %s is in folder %s: one name for both", p.name, p.path)
		}
	}
}

// clocks are what makes a result depend on more than its input.
var clocks = map[string][]string{
	"time":         {"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Sleep"},
	"math/rand":    nil, // any
	"math/rand/v2": nil,
	"crypto/rand":  nil,
}

// uses lists what a file takes of clocks.
func uses(f source) []string {
	local := map[string]string{}
	for _, i := range f.syntax.Imports {
		p := strings.Trim(i.Path.Value, `"`)
		if _, ok := clocks[p]; !ok {
			continue
		}
		name := filepath.Base(strings.TrimSuffix(p, "/v2"))
		if i.Name != nil {
			name = i.Name.Name
		}
		local[name] = p
	}
	var out []string
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok || local[x.Name] == "" {
			return true
		}
		if names := clocks[local[x.Name]]; names == nil || slices.Contains(names, sel.Sel.Name) {
			out = append(out, fset.Position(sel.Pos()).String()+" "+x.Name+"."+sel.Sel.Name)
		}
		return true
	})
	return out
}

func TestAlgorithmsReadNoClock(t *testing.T) {
	seen := 0
	for _, p := range packages(t) {
		for _, f := range p.files {
			switch {
			case f.isTest():
				seen += len(uses(f)) // tests do: so the search works
			case matchesAny(pure, p.path) && !slices.Contains(clientSide, f.name):
				for _, u := range uses(f) {
					t.Errorf("%s: take `now` or a seeded source as an argument", u)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no test reads a clock or a random source: the search is wrong")
	}
}

// TestSkipsSayHow wants a skipped test to say how to get what is missing.
func TestSkipsSayHow(t *testing.T) {
	how := regexp.MustCompile(`WEIR_[A-Z]|-short|make [a-z]|[Ii]nstall|set |[Rr]un |put |needs `)
	for _, p := range packages(t) {
		if p.path == "connectors/connectortest" {
			continue // leaves out what a connector cannot do, which nobody can install
		}
		for _, f := range p.files {
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				sel, ok := call.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				x, ok := sel.X.(*ast.Ident)
				if ok && sel.Sel.Name == "Fuzz" {
					return false // an input that is none of the fuzz target's business
				}
				if !ok || !slices.Contains([]string{"t", "b", "tb", "f"}, x.Name) || !strings.HasPrefix(sel.Sel.Name, "Skip") || sel.Sel.Name == "Skipped" {
					return true
				}
				if len(call.Args) == 0 || sel.Sel.Name == "SkipNow" {
					t.Errorf("%s: a skip without a reason", fset.Position(call.Pos()))
					return true
				}
				if lit, ok := call.Args[0].(*ast.BasicLit); ok && !how.MatchString(lit.Value) {
					t.Errorf("%s: say how to get what is missing: %s", fset.Position(call.Pos()), lit.Value)
				}
				return true
			})
		}
	}
}

// TestNoMachinePaths keeps folders of one machine out of tracked text.
func TestNoMachinePaths(t *testing.T) {
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	list, err := cmd.Output()
	if err != nil {
		t.Skipf("no git work tree here (%v): run the test in a clone", err)
	}
	machine := regexp.MustCompile(`(?:^|[\s"'=:(\x60])/(?:home|root|work|Users)/[A-Za-z0-9._-]+/?`)
	for _, name := range strings.Split(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || bytes.IndexByte(b, 0) >= 0 || strings.HasPrefix(name, "test/arch/") {
			continue // deleted, binary, or this test
		}
		for n, line := range strings.Split(string(b), "\n") {
			if m := machine.FindString(line); m != "" {
				t.Errorf("%s:%d holds the machine's path %s", name, n+1, strings.TrimSpace(m))
			}
		}
	}
}

// TestFilesStayReadable: past 400 lines a file has more than one job.
func TestFilesStayReadable(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range p.files {
			if lines := strings.Count(read(t, f.name), "\n"); lines > 400 {
				t.Errorf("%s has %d lines: cut it", f.name, lines)
			}
		}
	}
}
