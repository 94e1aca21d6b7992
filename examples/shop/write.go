package shop

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/weir-cdp/weir"
)

//go:embed project
var project embed.FS

// Project makes the example project's files, by path: its definitions and its
// generated data.
func Project(c Config) (map[string][]byte, error) {
	files, err := Files(c)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "generate the shop: %w", err)
	}
	err = fs.WalkDir(project, "project", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := project.ReadFile(path)
		files[path[len("project/"):]] = text
		return err
	})
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "read the example: %w", err)
	}
	return files, nil
}

// Write makes the example project in dir. It refuses a directory that holds a
// project already.
func Write(dir string, c Config) error {
	if _, err := os.Stat(filepath.Join(dir, "weir.yaml")); err == nil {
		return weir.Errorf(weir.Conflict, "there is a project here already").At(dir).Then("name another directory")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return weir.Errorf(weir.Invalid, "look at %s: %w", dir, err)
	}
	files, err := Project(c)
	if err != nil {
		return err
	}
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return weir.Errorf(weir.Invalid, "write the example: %w", err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return weir.Errorf(weir.Invalid, "write the example: %w", err)
		}
	}
	return nil
}
