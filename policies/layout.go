package policies

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"

	"github.com/weir-cdp/weir"
)

// standard is a Rego file in the standard layout, that of opa fmt. An error: it does
// not parse.
func standard(path, src string) (string, error) {
	want, err := format.SourceWithOpts(path, []byte(src), format.Opts{RegoVersion: ast.RegoV1})
	return string(want), err
}

// formatted says where a file departs from the standard layout.
func formatted(p, src string) []Problem {
	want, err := standard(p, src)
	if err != nil || want == src {
		return nil // what does not parse is reported by the parser
	}
	is, should := strings.Split(src, "\n"), strings.Split(want, "\n")
	line := 0
	for line < len(is) && line < len(should) && is[line] == should[line] {
		line++
	}
	next := "end the file here"
	switch {
	case line < len(should) && should[line] == "":
		next = "begin an empty line here, or run weir policy fmt"
	case line < len(should):
		next = fmt.Sprintf("write %q, or run weir policy fmt", should[line])
	}
	return []Problem{{Where: at(p, line+1), Message: "the file is not in the standard layout", Next: next}}
}

// Format puts the Rego files of a policy's folder into the standard layout and names
// those that it changed, sorted. Files that do not parse are left as they are: Check
// says what is wrong with them. A file is replaced whole or not at all.
func Format(dir string) ([]string, error) {
	fsys, _, err := open(dir)
	if err != nil {
		return nil, err
	}
	f, err := read(fsys)
	if f == nil {
		return nil, err
	}
	var changed []string
	for _, p := range sorted(f.rego) {
		want, err := standard(p, f.rego[p])
		if err != nil || want == f.rego[p] {
			continue
		}
		if err := replace(filepath.Join(dir, filepath.FromSlash(p)), want); err != nil {
			return changed, weir.Errorf(weir.Invalid, "the file can't be written: %w", err).At(p).Then("give this user the right to write it")
		}
		changed = append(changed, p)
	}
	return changed, nil
}

// replace writes a file beside another and moves it there. A link stays one: what it
// leads to is written.
func replace(path, text string) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".weir-fmt-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // it is gone where all went well
	_, err = f.WriteString(text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chmod(f.Name(), info.Mode().Perm())
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
