package check

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Dockerfile parses a Dockerfile as BuildKit does and tells what it finds beyond that.
// What it copies is looked for below root, the build's context; "" is any.
func Dockerfile(path, root string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	parsed, err := parser.Parse(f)
	if err != nil {
		return nil, err
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, err
	}
	var out []string
	found := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	names := map[string]bool{}
	for i, s := range stages {
		if p := unpinned(s.BaseName); p != "" && !names[s.BaseName] {
			found("%s", p)
		}
		user := ""
		for _, c := range s.Commands {
			switch c := c.(type) {
			case *instructions.UserCommand:
				user = c.User
			case *instructions.AddCommand:
				found("ADD may fetch or unpack; use COPY")
			case *instructions.CopyCommand:
				if c.From != "" && !names[c.From] {
					found("copies from %s, which is no earlier stage", c.From)
				}
				for _, from := range c.SourcePaths {
					if _, err := os.Stat(filepath.Join(root, from)); c.From == "" && root != "" && err != nil {
						found("copies %s, which there is not", from)
					}
				}
			case *instructions.EnvCommand:
				for _, kv := range c.Env {
					if secretive(kv.Key) {
						found("%s would be in the image", kv.Key)
					}
				}
			case *instructions.ArgCommand:
				for _, kv := range c.Args {
					if secretive(kv.Key) {
						found("%s would be in the image's history", kv.Key)
					}
				}
			}
		}
		if id, _, _ := strings.Cut(user, ":"); i == len(stages)-1 && (id == "" || id == "0" || strings.Trim(id, "0123456789") != "") {
			found("the image's user is %q: a number that is not 0 lets Kubernetes see that it is not root", user)
		}
		names[s.Name] = s.Name != ""
	}
	return out, nil
}
