package project

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/weir-cdp/weir/connectors"
)

// folders hold the project's files beside weir.yaml and identity.yaml.
var folders = []string{"sources", "traits", "segments", "destinations", "activations", "policies", "labels"}

// strangers finds folders and files that are misspelt: with a name near to one of the
// project's own, and definitions inside. What else lies in the directory is not ours.
func (l *loader) strangers() {
	entries, err := fs.ReadDir(l.fsys, ".")
	if err != nil {
		return // reading weir.yaml told of it
	}
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		if e.IsDir() {
			near := connectors.Nearest(name, folders)
			if !slices.Contains(folders, name) && near != "" && l.holdsYAML(name) {
				l.add(name, "rename it to "+near+", or move it away", "the folder is none of the project's, so nothing in it counts")
			}
			continue
		}
		base, isIdentity := strings.TrimSuffix(name, path.Ext(name)), name == "identity.yaml"
		if name == "rates.yml" || name == "contact.yml" || (isYAML(name) && (base == "contacts" || base == "pressure" || base == "priority")) {
			to := "contact.yaml"
			if base == "rates" {
				to = "rates.yaml"
			}
			l.add(name, "rename it to "+to, "the file is none of the project's, so nothing in it counts")
		}
		if isYAML(name) && !isIdentity && connectors.Nearest(base, []string{"identity"}) != "" {
			l.add(name, "rename it to identity.yaml, or move it away", "the file is none of the project's, so nothing in it counts")
		}
	}
}

func isYAML(name string) bool { return path.Ext(name) == ".yaml" || path.Ext(name) == ".yml" }

func (l *loader) holdsYAML(dir string) bool {
	entries, err := fs.ReadDir(l.fsys, dir)
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() && isYAML(e.Name()) })
}
