package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/files"
	"github.com/weir-cdp/weir/connectors/postgres"
	"github.com/weir-cdp/weir/connectors/webhook"
	"github.com/weir-cdp/weir/project"
)

const root = "../.."

// block is a YAML example whose first line is a comment with its file's path.
var block = regexp.MustCompile("(?ms)^```yaml\n# ([a-z_/]+\\.yaml)\n(.*?)^```$")

// minimal is what an example leaves out.
var minimal = map[string]string{
	"weir.yaml":     "name: docs\ntimezone: UTC\ndefault_region: FR\n",
	"identity.yaml": "person: {identifiers: {email: {limit: 5}}}\n",
	"sources/docs.yaml": `{connector: files, config: {path: data}, streams: {docs: {path: docs.csv, key: [id], as: person, map: {
  identifiers: {customer_id: id, email: email, phone: phone}, attributes: {family_name: name, country: country}}}}}`,
}

func TestExamplesAreProjects(t *testing.T) {
	known := map[string]connectors.Connector{}
	for _, c := range []connectors.Connector{files.Connector(), postgres.Connector(), webhook.Connector()} {
		known[c.Name] = c
	}
	documents, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for _, name := range append(documents, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		dir, found := t.TempDir(), 0
		for path, content := range minimal {
			write(t, dir, path, content)
		}
		for _, m := range block.FindAllStringSubmatch(string(text), -1) {
			if strings.HasPrefix(m[1], "policies/") {
				continue // policies has its own tests
			}
			write(t, dir, m[1], m[2])
			found++
		}
		if found == 0 {
			continue
		}
		examples += found
		if _, err := project.Load(dir, known); err != nil {
			t.Errorf("the examples of %s: %v", filepath.Base(name), err)
		}
	}
	if examples < 8 {
		t.Errorf("found %d examples only: their first line names the file", examples)
	}
}

func write(t *testing.T, dir, path, content string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
