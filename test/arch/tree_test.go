package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	module = "github.com/weir-cdp/weir"
	root   = "../.."
)

type source struct {
	name    string // from the root, with slashes
	syntax  *ast.File
	imports []string
}

func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

type pkg struct {
	path  string // from the root; "." is the root
	name  string
	files []source
}

var fset = token.NewFileSet()

// tree parses the module's packages once, sorted by path.
var tree = sync.OnceValues(func() ([]pkg, error) {
	byPath := map[string]*pkg{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, base := filepath.ToSlash(strings.TrimPrefix(p, root+string(filepath.Separator))), d.Name()
		if d.IsDir() {
			hidden := base != ".." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_"))
			if hidden || base == "testdata" || name == "bin" || name == "demo" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, g := range f.Comments {
			if g.Pos() < f.Package && strings.Contains(g.List[0].Text, "go:build warm") {
				return nil // keeps modules in the cache; part of no build
			}
		}
		s := source{name: name, syntax: f}
		for _, i := range f.Imports {
			v, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, v)
		}
		dir := path.Dir(name)
		if byPath[dir] == nil {
			byPath[dir] = &pkg{path: dir}
		}
		byPath[dir].files = append(byPath[dir].files, s)
		if !s.isTest() {
			byPath[dir].name = f.Name.Name
		}
		return nil
	})
	var all []pkg
	for _, p := range byPath {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b pkg) int { return strings.Compare(a.path, b.path) })
	return all, err
})

func packages(t *testing.T) []pkg {
	t.Helper()
	all, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d packages found below %s: the walk is wrong", len(all), root)
	}
	return all
}

// matches says whether a path from the root fits a room's pattern.
func matches(pattern, dir string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return dir == below || strings.HasPrefix(dir, below+"/")
	}
	ok, err := path.Match(pattern, dir)
	return ok && err == nil
}

func matchesAny(patterns []string, dir string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, dir) })
}

// allowed says whether an import path fits a list of a room.
func allowed(list []string, imported string) bool {
	return slices.ContainsFunc(list, func(p string) bool { return matches(expand(p), imported) })
}

func expand(pattern string) string {
	if rest, ok := strings.CutPrefix(pattern, "@"); ok {
		return module + rest
	}
	return pattern
}

func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// within gives the path from the root of a package of this module.
func within(imported string) (string, bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
