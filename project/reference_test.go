package project

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir/connectors"
)

var (
	example = regexp.MustCompile("(?ms)^```yaml\n# (\\S+)\n(.*?)^```$")
	quoted  = regexp.MustCompile("`([^`\n]+)`")
	word    = regexp.MustCompile(`[a-z][a-z0-9_]*`)
)

// TestTheReferenceNamesEveryKey wants docs/project.md to load, and to name in
// backquotes every key and word that the loader knew on the way.
func TestTheReferenceNamesEveryKey(t *testing.T) {
	page, err := os.ReadFile("../docs/project.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, m := range example.FindAllStringSubmatch(string(page), -1) {
		name := filepath.Join(dir, m[1])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(m[2]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	named := map[string]bool{}
	for _, m := range quoted.FindAllStringSubmatch(example.ReplaceAllString(string(page), ""), -1) {
		for _, w := range word.FindAllString(m[1], -1) {
			named[w] = true
		}
	}
	systems := maps.Clone(known)
	systems["files"] = connectors.Connector{Name: "files", Config: known["files"].Config, OpenSource: noSource, OpenDestination: noDestination,
		Stream: []connectors.Field{{Name: "path", Type: connectors.String, Required: true}, {Name: "row", Type: connectors.String}}}
	systems["postgres"] = connectors.Connector{Name: "postgres", Config: []connectors.Field{{Name: "dsn", Type: connectors.String, Secret: true}},
		Stream: []connectors.Field{{Name: "table", Type: connectors.String, Required: true}}, OpenSource: noSource}
	met := map[string]bool{}
	p, err := load(dir, systems, func(words []string) {
		for _, w := range words {
			met[w] = true
		}
	})
	if err != nil {
		t.Fatalf("the examples do not load: %v", err)
	}
	if len(p.Sources) != 2 || len(p.Identity) != 2 || len(p.Activations) != 1 || len(p.Segments) != 5 || len(p.Traits) != 1 {
		t.Errorf("examples are missing: %+v", p)
	}
	for name := range systems {
		for _, f := range slices.Concat(systems[name].Config, systems[name].Stream) {
			delete(met, f.Name) // docs/connectors.md has those
		}
	}
	for _, w := range slices.Concat(operators, aggregates) {
		met[w] = true
	}
	for _, a := range mappingFields {
		for _, f := range a.allowed {
			met[f] = true
		}
	}
	delete(met, "person")
	for _, w := range slices.Sorted(maps.Keys(met)) {
		if !named[w] {
			t.Errorf("docs/project.md does not name %q", w)
		}
	}
	if len(met) < 100 || !strings.Contains(string(page), "`person`") {
		t.Errorf("only %d keys and words were met: the search is wrong", len(met))
	}
}
