package policies

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What Format changed is what Check complained of, and means the same; a file that
// does not parse stays as it is.
func TestFormatGivesTheLayoutThatCheckAsksFor(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, Builtin()); err != nil {
		t.Fatal(err)
	}
	const ugly, broken = "consent/deny/gpc.rego", "consent/deny/torn.rego"
	path := filepath.Join(dir, filepath.FromSlash(ugly))
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	write(ugly, strings.ReplaceAll(string(want), "\t", "      "))
	write(broken, "package consent.deny\nfoo {{{\n")
	layout := func() (out []string) {
		t.Helper()
		problems, err := Check(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			if strings.Contains(p.Message, "layout") {
				out = append(out, p.Where)
			}
		}
		return out
	}
	if got := layout(); len(got) != 1 || !strings.HasPrefix(got[0], ugly+":") {
		t.Fatalf("before: %q", got)
	}
	changed, err := Format(dir)
	if err != nil || !slices.Equal(changed, []string{ugly}) {
		t.Fatalf("changed %q, %v", changed, err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != string(want) {
		t.Errorf("%v:\n%s", err, got)
	}
	if got := layout(); len(got) != 0 {
		t.Errorf("after: %q", got)
	}
	if again, err := Format(dir); err != nil || len(again) != 0 {
		t.Errorf("again: %q, %v", again, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "consent", "deny", ".weir-fmt-*")); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}
