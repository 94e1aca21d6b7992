package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

var (
	shell   = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	command = regexp.MustCompile(`(?m)(?:^|&& |bin/)weir ((?:[a-z]+ ?)+)`)
	word    = regexp.MustCompile(`[a-z]+`)
	use     = regexp.MustCompile(`(?:Use:\s+|group\()"([a-z]+)`)
	target  = regexp.MustCompile(`(?m)^make ([a-z-]+)`)
	rule    = regexp.MustCompile(`(?m)^([a-z-]+):`)
)

// TestCommandsExist wants what the documents tell a reader to type to be there.
func TestCommandsExist(t *testing.T) {
	commands, targets := map[string]bool{}, map[string]bool{}
	sources, err := filepath.Glob(filepath.Join(root, "cmd", "weir", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		for _, m := range use.FindAllStringSubmatch(text(t, name), -1) {
			commands[m[1]] = true
		}
	}
	for _, m := range rule.FindAllStringSubmatch(text(t, filepath.Join(root, "Makefile")), -1) {
		targets[m[1]] = true
	}
	documents, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range append(documents, filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md")) {
		for _, b := range shell.FindAllStringSubmatch(text(t, name), -1) {
			for _, m := range command.FindAllStringSubmatch(b[1], -1) {
				found++
				if first := word.FindString(m[1]); !commands[first] {
					t.Errorf("%s tells to type `weir %s`, which is no command", filepath.Base(name), first)
				}
			}
			for _, m := range target.FindAllStringSubmatch(b[1], -1) {
				found++
				if !targets[m[1]] {
					t.Errorf("%s tells to type `make %s`, which is no target", filepath.Base(name), m[1])
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("found %d commands only: the search is wrong", found)
	}
}

func text(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
