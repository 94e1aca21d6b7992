package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A project whose activations the policy would deny to everybody is refused before
// anything starts: the run would remove everybody, as decided.
func TestRunPlanAndDevRefuseWhatWouldDenyEverybody(t *testing.T) {
	for _, c := range []struct {
		name, file, old, text string
		says                  []string
	}{
		{"unknown purpose", "activations/news.yaml", "marketing.newsletter", "marketing.newsleter", []string{"activations/news.yaml:3:10", "did you mean marketing.newsletter?"}},
		{"no jurisdiction", "weir.yaml", "subject: {jurisdiction: [attribute.country]}\n", "", []string{"weir.yaml", "subject.jurisdiction", "D01"}},
		{"no jurisdiction among others", "weir.yaml", "jurisdiction: [attribute.country]", "region: [attribute.country]", []string{"weir.yaml:2", "subject.jurisdiction"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := newsletter(t)
			b, err := os.ReadFile(filepath.Join(dir, c.file))
			if err != nil || !strings.Contains(string(b), c.old) {
				t.Fatal(err, string(b))
			}
			write(t, dir, c.file, strings.Replace(string(b), c.old, c.text, 1))
			for _, command := range []string{"run", "plan", "apply", "dev", "doctor --offline"} {
				code, out, errw := do(t, append(strings.Fields(command), "--project", dir)...)
				if code != exitInvalid {
					t.Errorf("weir %s exits %d\n%s%s", command, code, out, errw)
				}
				for _, want := range c.says {
					if !strings.Contains(out+errw, want) {
						t.Errorf("weir %s lacks %q:\n%s%s", command, want, out, errw)
					}
				}
			}
		})
	}
}

func TestAnEmptyPolicyFolderIsNoPolicyAnywhere(t *testing.T) {
	dir := newsletter(t)
	if err := os.Mkdir(filepath.Join(dir, "policies"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"policy check", "policy test", "policy docs", "run", "doctor --offline"} {
		code, out, errw := do(t, append(strings.Fields(command), "--project", dir)...)
		if code != exitInvalid || strings.Count(out+errw, "the folder is empty") != 1 {
			t.Errorf("weir %s exits %d:\n%s%s", command, code, out, errw)
		}
	}
}

// newsletter is a small whole project.
func newsletter(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"weir.yaml":             "name: shop\nsubject: {jurisdiction: [attribute.country]}\n",
		"identity.yaml":         "person:\n  identifiers: {email: {limit: 5}}\n",
		"sources/crm.yaml":      "connector: files\nconfig: {path: data}\nstreams:\n  people:\n    path: people.csv\n    key: [id]\n    as: person\n    map: {identifiers: {email: email}, attributes: {country: country}}\n",
		"data/people.csv":       "id,email,country\n1,a@x.org,FR\n",
		"segments/all.yaml":     "of: person\nwhere: {attribute: country, is: FR}\n",
		"destinations/f.yaml":   "connector: files\nconfig: {path: out}\nprivacy: {role: processor, kind: esp, transfer: none, country: FR, mechanism: adequacy, dpa: true, purposes: [marketing.newsletter]}\n",
		"activations/news.yaml": "segment: all\ndestination: f\npurpose: marketing.newsletter\nchannel: email\nmode: mirror\nkey: email\nfields: {email: email}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, dir, name, text)
	}
	return dir
}
