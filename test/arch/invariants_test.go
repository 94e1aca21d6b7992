package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// invariants is how many docs/invariants.md lists.
const invariants = 11

var (
	citation = regexp.MustCompile(`[Ii]nvariants?(?: enforced here| kept here)?:? ((?:\d+(?: \([^)]*\))?(?:, | and )?)+)`)
	number   = regexp.MustCompile(`\b\d+\b`)
	heading  = regexp.MustCompile(`(?m)^## (\d+)\. `)
	testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9]*)`")
)

// TestInvariantsAreCited wants each invariant named where it is enforced.
func TestInvariantsAreCited(t *testing.T) {
	cited := map[string][]string{}
	for _, p := range packages(t) {
		if p.path == "test/arch" {
			continue
		}
		for _, f := range p.files {
			if f.isTest() {
				continue
			}
			for _, g := range f.syntax.Comments {
				for _, m := range citation.FindAllStringSubmatch(strings.Join(strings.Fields(g.Text()), " "), -1) {
					for _, n := range number.FindAllString(m[1], -1) {
						cited[n] = append(cited[n], f.name)
					}
				}
			}
		}
	}
	for _, m := range heading.FindAllStringSubmatch(read(t, "docs/invariants.md"), -1) {
		if len(cited[m[1]]) == 0 {
			t.Errorf("invariant %s is cited nowhere in the code: write `// invariant %s` where it is enforced", m[1], m[1])
		}
	}
}

// TestInvariantsDocument wants every invariant in the document, with a test that
// exists.
func TestInvariantsDocument(t *testing.T) {
	doc := read(t, "docs/invariants.md")
	parts := heading.Split(doc, -1)[1:]
	if len(parts) != invariants {
		t.Fatalf("docs/invariants.md has %d invariants, want %d", len(parts), invariants)
	}
	for n, part := range parts {
		if !testName.MatchString(part) {
			t.Errorf("invariant %d names no test", n+1)
		}
	}
	have := map[string]bool{}
	for _, p := range packages(t) {
		for _, f := range p.files {
			for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllStringSubmatch(read(t, f.name), -1) {
				have[m[1]] = true
			}
		}
	}
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range docs {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testName.FindAllStringSubmatch(string(b), -1) {
			if !have[m[1]] {
				t.Errorf("%s names %s, which is no test", filepath.Base(name), m[1])
			}
		}
	}
}

// TestLinksOfDocuments follows the links inside the repository.
func TestLinksOfDocuments(t *testing.T) {
	var docs []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/adr/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, found...)
	}
	for _, name := range docs {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all := regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`).FindAllStringSubmatch(string(b), -1)
		for _, m := range all {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			}
		}
	}
}
