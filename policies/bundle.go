package policies

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
)

//go:embed all:bundle
var embedded embed.FS

// Builtin is the policy that is part of the program: where a project starts from
// that wants its own.
func Builtin() fs.FS {
	sub, err := fs.Sub(embedded, "bundle")
	if err != nil {
		panic(err) // the directory is named by the embed directive above
	}
	return sub
}

// Write copies the built-in policy to a folder that does not exist or is empty, and
// says how many files it is. Conflict: the folder holds something.
func Write(dir string) (int, error) {
	if held, err := os.ReadDir(dir); err == nil && len(held) > 0 {
		return 0, weir.Errorf(weir.Conflict, "%s holds a policy already", dir).Then("change it there; weir policy diff tells what that would do")
	}
	files := 0
	err := fs.WalkDir(Builtin(), ".", func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files++
		}
		return err
	})
	next := dir + ".new" // what is not whole must not rule
	if err == nil {
		err = errors.Join(os.RemoveAll(next), os.CopyFS(next, Builtin()))
	}
	if err == nil {
		err = os.Rename(next, dir)
	}
	if err != nil {
		return 0, weir.Errorf(weir.Invalid, "the policy can't be written: %w", err).Then("check that the project's directory is writable")
	}
	return files, nil
}

// open gives the policy's files and the name by which messages call their folder.
func open(dir string) (fs.FS, string, error) {
	if dir == "" {
		return Builtin(), "built-in policy", nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, "", weir.Errorf(weir.NotFound, "the policy's folder can't be read: %w", err).At(dir).Then("create it, or remove it from the project to use the built-in policy")
	}
	if !info.IsDir() {
		return nil, "", weir.Errorf(weir.Invalid, "the policy is not a folder").At(dir)
	}
	return os.DirFS(dir), dir, nil
}

// files is a policy as read: nothing is compiled yet.
type files struct {
	rego  map[string]string // by path, tests included
	data  map[string]any    // one key a data file
	nodes map[string]*yaml.Node
	raw   map[string][]byte // data and schema files, by path
	cases map[string][]byte // by path
	// schema is schemas/input.schema.json, nil if there is none.
	schema any
	shapes []byte          // schemas/data.yaml; nil if there is none
	broken map[string]bool // data files that are there and can't be read
}

const (
	schemaPath = "schemas/input.schema.json"
	maxFile    = 4 << 20 // no policy file is that large; a mistake or an attack is
)

// read reads a policy's folder. Broken files are all reported, joined.
func read(fsys fs.FS) (*files, error) {
	f := &files{rego: map[string]string{}, data: map[string]any{}, nodes: map[string]*yaml.Node{}, raw: map[string][]byte{}, cases: map[string][]byte{}, broken: map[string]bool{}}
	var problems []error
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != "." && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		if err := f.add(fsys, p); err != nil {
			problems = append(problems, err)
		}
		return nil
	})
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "the policy's folder can't be read: %w", err)
	}
	return f, errors.Join(append(problems, f.checkData())...)
}

func (f *files) add(fsys fs.FS, p string) error {
	dir, ext := strings.SplitN(p, "/", 2)[0], path.Ext(p)
	yamlFile := ext == ".yaml" || ext == ".yml"
	if ext != ".rego" && p != schemaPath && p != shapesPath && !((dir == "data" || dir == "cases") && yamlFile) {
		return nil
	}
	info, err := fs.Stat(fsys, p)
	if err != nil {
		return weir.Errorf(weir.Invalid, "the file can't be read: %w", err).At(p)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return weir.Errorf(weir.Invalid, "the file is not a plain file of at most %d MiB", maxFile>>20).At(p)
	}
	b, err := fs.ReadFile(fsys, p)
	if err != nil {
		return weir.Errorf(weir.Invalid, "the file can't be read: %w", err).At(p)
	}
	switch {
	case ext == ".rego":
		f.rego[p] = string(b)
	case dir == "cases":
		f.cases[p] = b
	case p == schemaPath:
		f.raw[p] = b
		if err := json.Unmarshal(b, &f.schema); err != nil {
			return weir.Errorf(weir.Invalid, "the schema is not JSON: %w", err).At(p)
		}
	case p == shapesPath: // says nothing that a rule could see: no part of the revision
		f.shapes = b
	default:
		f.raw[p] = b
		err := f.addData(p, b)
		f.broken[dataName(p)] = err != nil
		return err
	}
	return nil
}

// dataName is the name under which rules read a data file.
func dataName(p string) string { return strings.TrimSuffix(path.Base(p), path.Ext(p)) }

// addData reads data/<name>.yaml as data.<name>.
func (f *files) addData(p string, b []byte) error {
	name := dataName(p)
	if _, double := f.data[name]; double || path.Dir(p) != "data" || name == "consent" || name == mutantRoot {
		return weir.Errorf(weir.Invalid, "data files stand in data/ itself, each name once, and none is called consent").At(p)
	}
	node, err := document(p, b)
	if err != nil {
		return err
	}
	if err := noAliases(p, node); err != nil {
		return err
	}
	var v map[string]any
	if err := node.Decode(&v); err != nil {
		return yamlError(p, err)
	}
	// Through JSON, so that the store holds what Rego can hold.
	text, err := json.Marshal(v)
	if err != nil {
		return weir.Errorf(weir.Invalid, "a value can't be data: %w", err).At(p)
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		return weir.Errorf(weir.Invalid, "a value can't be data: %w", err).At(p)
	}
	if plain == nil {
		plain = map[string]any{}
	}
	f.data[name], f.nodes[p] = plain, node
	return nil
}

// noAliases refuses anchors: data is read by people, and a bomb of aliases by
// nobody.
func noAliases(p string, n *yaml.Node) error {
	if n.Kind == yaml.AliasNode {
		return weir.Errorf(weir.Invalid, "aliases are not allowed in data").At(at(p, n.Line)).Then("write the value out")
	}
	for _, c := range n.Content {
		if err := noAliases(p, c); err != nil {
			return err
		}
	}
	return nil
}

// revision is the digest of all that the decision depends on: rules, data and
// schema, without tests and cases.
func (f *files) revision() string {
	h := sha256.New()
	var paths []string
	for p := range f.rego {
		if !isTest(p) {
			paths = append(paths, p)
		}
	}
	for p := range f.raw {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		text, ok := f.rego[p]
		if !ok {
			text = string(f.raw[p])
		}
		fmt.Fprintf(h, "%d %s %d %s", len(p), p, len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// modules parses the rules (and the tests, where asked), with file names kept.
func (f *files) modules(tests bool) (map[string]*ast.Module, ast.Errors) {
	mods := map[string]*ast.Module{}
	var problems ast.Errors
	for _, p := range sorted(f.rego) {
		if isTest(p) && !tests {
			continue
		}
		m, err := ast.ParseModuleWithOpts(p, f.rego[p], ast.ParserOptions{ProcessAnnotation: true, RegoVersion: ast.RegoV1, Capabilities: capabilities()})
		if err != nil {
			var list ast.Errors
			if !errors.As(err, &list) {
				list = ast.Errors{ast.NewError(ast.ParseErr, ast.NewLocation(nil, p, 1, 1), "%v", err)}
			}
			problems = append(problems, list...)
			continue
		}
		if m != nil {
			mods[p] = m
		}
	}
	return mods, problems
}

func isTest(p string) bool { return strings.HasSuffix(p, "_test.rego") }

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func at(p string, line int) string { return fmt.Sprintf("%s:%d", p, line) }
