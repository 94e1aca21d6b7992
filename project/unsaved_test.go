package project

import (
	"strings"
	"testing"
)

func TestUnsaved(t *testing.T) {
	t.Parallel()
	p, err := Load(write(t, nil), known)
	if err != nil {
		t.Fatal(err)
	}
	before := len(p.Segments)
	s, err := p.Unsaved("standard input", "draft", []byte("of: person\nwhere:\n  all: [{attribute: given_name, is: Jo}, {segment: sick}]\n"))
	if err != nil || s.Name != "draft" || len(s.Where.All) != 2 || !strings.HasPrefix(s.Where.At, "standard input:3") {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := p.Unsaved("standard input", "sick", []byte("where: {attribute: given_name, is: Jo}\n")); err != nil {
		t.Errorf("a new form of a segment that there is: %v", err)
	}
	if len(p.Segments) != before {
		t.Error("the project has changed")
	}
	for text, part := range map[string]string{
		"":                                      "there is no definition",
		"where: {attribute: given_nam, is: Jo}": `no source maps an attribute "given_nam"; did you mean`,
		"where: {attribute: given_name, iss: Jo}": `standard input:1:32: unknown`,
		"were: {attribute: given_name, is: Jo}":   `unknown key "were"`,
		"where: {segment: draft}":                 "segments depend on each other: draft → draft",
		"where: {segment: sicc}":                  `there is no segment "sicc"`,
		"where: [":                                "invalid YAML",
	} {
		if _, err := p.Unsaved("standard input", "draft", []byte(text)); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v, want %s", text, err, part)
		}
	}
	if _, err := p.Unsaved("standard input", "Draft 1", []byte("where: {attribute: given_name, is: Jo}")); err == nil {
		t.Error("a name of capital letters is taken")
	}
}
