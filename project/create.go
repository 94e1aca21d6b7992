package project

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weir-cdp/weir"
)

// ignored is the one file that Create adds to where it is there already.
const ignored = ".gitignore"

// Create writes a project's files, named by path relative to dir and written in the
// order of their names here by write, and the folders named.
// It overwrites nothing: where one of the files is there already, nothing is
// written, and the error (Conflict) names them. Only .gitignore gets the lines
// that it lacks.
func Create(dir string, names []string, write func(name string, w io.Writer) error, folders ...string) error {
	if err := unwritten(dir, names); err != nil {
		return err
	}
	for _, f := range folders {
		if err := os.MkdirAll(filepath.Join(dir, f), 0o755); err != nil {
			return weir.Errorf(weir.Invalid, "write the project: %w", err)
		}
	}
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil && name == ignored {
			var lines strings.Builder
			if err = write(name, &lines); err == nil {
				err = addLines(path, lines.String())
			}
		} else if err == nil {
			err = writeNew(path, func(w io.Writer) error { return write(name, w) })
		}
		if err != nil {
			return weir.Errorf(weir.Invalid, "write the project: %w", err)
		}
	}
	return nil
}

// unwritten refuses a directory that holds one of the files.
func unwritten(dir string, names []string) error {
	var there []string
	for _, name := range names {
		_, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name)))
		switch {
		case err == nil && name != ignored:
			there = append(there, name)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return weir.Errorf(weir.Invalid, "look at %s: %w", name, err).At(dir)
		}
	}
	if slices.Contains(there, "weir.yaml") {
		return weir.Errorf(weir.Conflict, "there is a project here already").At(dir).Then("name another directory")
	}
	if len(there) > 0 {
		const most = 5
		listed := strings.Join(there[:min(len(there), most)], ", ")
		if len(there) > most {
			listed += ", …"
		}
		return weir.Errorf(weir.Conflict, "the directory holds files that a project would overwrite: %s", listed).At(dir).
			Then("move them away, or name another directory; nothing was written")
	}
	return nil
}

// writeNew writes a file that is not there, not even since it was looked for.
func writeNew(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// addLines appends the lines that a file lacks.
func addLines(path, lines string) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	have := strings.Split(strings.ReplaceAll(string(old), "\r\n", "\n"), "\n")
	var add strings.Builder
	if len(old) > 0 && !strings.HasSuffix(string(old), "\n") {
		add.WriteString("\n")
	}
	lacks := false
	for line := range strings.Lines(lines) {
		if !slices.Contains(have, strings.TrimSpace(line)) {
			add.WriteString(line)
			lacks = true
		}
	}
	if !lacks {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(add.String())
	return errors.Join(err, f.Close())
}

// WorkspaceName makes a workspace's name of a folder's: small letters, digits and
// _, a letter first; "shop" where nothing is left.
func WorkspaceName(folder string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r < utf8.RuneSelf:
			return '_'
		}
		return -1
	}, folder)
	name = strings.TrimRight(strings.TrimLeft(name, "_0123456789"), "_")
	if name = name[:min(len(name), 63)]; !nameForm.MatchString(name) {
		return "shop"
	}
	return name
}
