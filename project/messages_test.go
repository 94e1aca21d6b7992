package project

import (
	"errors"
	"strings"
	"testing"
)

// One mistake gives one message, at its own line.
func TestOneMistakeOneMessageAtItsLine(t *testing.T) {
	t.Parallel()
	edit := func(file, old, text string) map[string]string {
		if !strings.Contains(good[file], old) {
			t.Fatalf("%s lacks %q", file, old)
		}
		return map[string]string{file: strings.Replace(good[file], old, text, 1)}
	}
	for name, c := range map[string]struct {
		change map[string]string
		want   []string // the start of each problem, and "…" parts that it must hold
	}{
		"YAML broken in line 3":      {map[string]string{"segments/sick.yaml": "of: person\nwhere:\n  {all: [}\n"}, []string{"segments/sick.yaml:3: invalid YAML: did not find expected"}},
		"YAML broken in line 2":      {map[string]string{"segments/sick.yaml": "of: person\nwhere: [a\n"}, []string{"segments/sick.yaml:"}},
		"a first key too far in":     {map[string]string{"segments/sick.yaml": "  of: person\nwhere: {attribute: country, is: FR}\n"}, []string{"segments/sick.yaml:2: invalid YAML: did not find expected"}},
		"a colon too many":           {map[string]string{"segments/sick.yaml": "of: person\nwhere: a: b\n"}, []string{"segments/sick.yaml:2: invalid YAML: mapping values are not allowed in this context"}},
		"a source that is no YAML":   {map[string]string{"sources/crm.yaml": "connector: files\n\tconfig: {}\n"}, []string{"sources/crm.yaml:2: invalid YAML: found a tab character that violates indentation"}},
		"name misspelt":              {edit("weir.yaml", "name:", "nmae:"), []string{"weir.yaml:2:1: unknown key \"nmae\"; did you mean \"name\"?"}},
		"key of an activation":       {edit("activations/sick.yaml", "purpose:", "purpse:"), []string{"activations/sick.yaml:4:1: unknown key \"purpse\""}},
		"unknown segment":            {edit("activations/sick.yaml", "segment: sick", "segment: sik"), []string{"activations/sick.yaml:2:10: there is no segment \"sik\"; did you mean \"sick\"?"}},
		"unknown destination":        {edit("activations/sick.yaml", "destination: news", "destination: nwes"), []string{"activations/sick.yaml:3:14: there is no destination"}},
		"unknown field":              {edit("activations/sick.yaml", "name: given_name", "name: given_nam"), []string{"activations/sick.yaml:8:16: field name sends \"given_nam\""}},
		"survivorship of no source":  {edit("identity.yaml", "source(crm)", "source(crn)"), []string{"identity.yaml:10:12: survivorship rule source(crn) names no source"}},
		"group of no attribute":      {edit("identity.yaml", "who: [given_name,", "who: [given_nam,"), []string{"identity.yaml:11:19: group who holds"}},
		"bad regular expression":     {edit("identity.yaml", "^no-?reply@", "^no-(reply@"), []string{"identity.yaml:5:12: blocked \"^no-(reply@\" is no regular expression: missing closing ): `^no-(reply@`"}},
		"misspelt folder":            {map[string]string{"segmnts/x.yaml": "of: person\n"}, []string{"segmnts: the folder is none of the project's"}},
		"misspelt identity":          {map[string]string{"identity.yml": "person: {}\n"}, []string{"identity.yml: the file is none of the project's"}},
		"folders of other things":    {map[string]string{"charts/x.yaml": "a: 1\n", "compose.yaml": "a: 1\n", "source/readme.md": "x"}, nil},
		"misspelt required of a map": {edit("sources/crm.yaml", "occurred_at:", "ocurred_at:"), []string{"sources/crm.yaml:"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, c.change), known)
			var all Problems
			errors.As(err, &all)
			if len(all) != len(c.want) {
				t.Fatalf("%d problems, not %d:\n%v", len(all), len(c.want), err)
			}
			for i, want := range c.want {
				if !strings.HasPrefix(all[i].String(), want) {
					t.Errorf("got  %s\nwant %s", all[i], want)
				}
			}
		})
	}
}
