package project

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

var starter = map[string][]byte{"weir.yaml": []byte("name: a\n"), "sources/crm.yaml": []byte("x\n"), ".gitignore": []byte(".weir/\nout/\n")}

// tree gives the files below dir, by path.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		out[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCreateOverwritesNothing(t *testing.T) {
	for _, c := range []struct {
		there map[string]string
		says  string // "": written
		want  map[string]string
	}{
		{want: map[string]string{"weir.yaml": "name: a\n", "sources/crm.yaml": "x\n", ".gitignore": ".weir/\nout/\n"}},
		{there: map[string]string{"readme.md": "mine", ".gitignore": "node_modules\nout/"},
			want: map[string]string{"readme.md": "mine", "weir.yaml": "name: a\n", "sources/crm.yaml": "x\n", ".gitignore": "node_modules\nout/\n.weir/\n"}},
		{there: map[string]string{".gitignore": ".weir/\r\nout/"}, want: map[string]string{"weir.yaml": "name: a\n", "sources/crm.yaml": "x\n", ".gitignore": ".weir/\r\nout/"}},
		{there: map[string]string{"sources/crm.yaml": "mine"}, says: "sources/crm.yaml"},
		{there: map[string]string{"weir.yaml": "mine"}, says: "there is a project here already"},
	} {
		dir := t.TempDir()
		for name, text := range c.there {
			p := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		err := Create(dir, slices.Sorted(maps.Keys(starter)), func(name string, w io.Writer) error {
			_, err := w.Write(starter[name])
			return err
		}, "traits")
		want := c.want
		if c.says != "" {
			want = c.there
			if weir.CodeOf(err) != weir.Conflict || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v: %v", c.there, err)
			}
		} else if err != nil {
			t.Errorf("%v: %v", c.there, err)
		}
		got := tree(t, dir)
		if len(got) != len(want) {
			t.Errorf("%v gave %v", c.there, got)
		}
		for name, text := range want {
			if got[name] != text {
				t.Errorf("%v: %s is %q, not %q", c.there, name, got[name], text)
			}
		}
	}
}

func TestWorkspaceNames(t *testing.T) {
	for folder, want := range map[string]string{"acme": "acme", "Acme-Shop 2": "acme_shop_2", "2024": "shop", "_x_": "x", "": "shop", "été": "t", "...": "shop", strings.Repeat("a", 99): strings.Repeat("a", 63)} {
		if got := WorkspaceName(folder); got != want || !nameForm.MatchString(got) {
			t.Errorf("%q gives %q, not %q", folder, got, want)
		}
	}
}
