package shop

import (
	"embed"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/weir-cdp/weir"
)

//go:embed project
var project embed.FS

// Names are the example project's files, by path, in the order in which File
// writes them: its definitions, then its generated data, the truth last.
func (g *Shop) Names() []string {
	var names []string
	// The files are in the binary: walking them can't fail.
	_ = fs.WalkDir(project, "project", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path[len("project/"):])
		}
		return err
	})
	for _, s := range systems {
		names = append(names, s.name)
	}
	return names
}

// File writes one file of the project.
func (g *Shop) File(name string, w io.Writer) error {
	if text, err := project.ReadFile("project/" + name); err == nil {
		_, err := w.Write(text)
		return err
	}
	return g.system(name, w)
}

// Write makes the example project in dir. It refuses a directory that holds a
// project already.
func Write(dir string, c Config) error {
	g := New(c)
	names := g.Names()
	if slices.ContainsFunc(names, func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	}) {
		return weir.Errorf(weir.Conflict, "there is a project here already").At(dir).Then("name another directory")
	}
	for _, name := range names {
		if err := g.create(filepath.Join(dir, name), name); err != nil {
			return weir.Errorf(weir.Invalid, "write the example: %w", err)
		}
	}
	return nil
}

func (g *Shop) create(path, name string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := g.File(name, f); err != nil {
		return err
	}
	return f.Close()
}
