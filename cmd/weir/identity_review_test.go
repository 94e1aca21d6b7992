package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/stages"
)

// session answers three pairs with lines of input and returns what the project
// then holds and what was shown.
func session(t *testing.T, input string) (labels []string, shown string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "weir.yaml"), []byte("name: shop\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	a := &app{dir: dir, in: strings.NewReader(input), out: &out, errw: &errs}
	s := reviewing{a: a, author: "ann"}
	bits := -2.5
	for _, ids := range [][2]string{{"a", "b"}, {"c", "d"}, {"e", "f"}} {
		s.pairs = append(s.pairs, stages.ReviewPair{Candidate: weir.Candidate{Left: ids[0], Right: ids[1], Probability: 0.5},
			Fields: []stages.ReviewField{{Name: "given_name", Left: "jo", Right: "joe", Level: "near", Weight: &bits}, {Name: "city", Left: "x", Right: "x", Same: true}, {Name: "phone", Left: "1"}}})
	}
	if err := s.ask(t.Context()); err != nil {
		t.Fatal(err)
	}
	p, err := project.Load(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range p.Labels {
		if l.Author != "ann" || l.At.IsZero() {
			t.Errorf("%+v", l)
		}
		labels = append(labels, l.Left+l.Right+" "+l.Answer)
	}
	return labels, out.String()
}

func TestReviewSession(t *testing.T) {
	for _, c := range []struct {
		input string
		want  []string
	}{
		{"y\nn\ny\n", []string{"ab same", "cd different", "ef same"}},
		{"YES\nperhaps\nno\nskip\n", []string{"ab same", "cd different"}},
		{"y\nu\nn\nq\n", []string{"ab different"}},    // the answer before is taken back, and the pair asked again
		{"u\ny\ns\nu\ns\ns\ns\n", nil},                // over a pair that was skipped
		{"y\n", []string{"ab same"}},                  // the input ends
		{"y\ny\nq\n", []string{"ab same", "cd same"}}, // each is written at once
		{"", nil},
	} {
		got, _ := session(t, c.input)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q: %s", c.input, diff)
		}
	}
}

func TestReviewMarksWhatDiffers(t *testing.T) {
	_, shown := session(t, "q\n")
	var marked []string
	for _, line := range strings.Split(shown, "\n") {
		if strings.HasPrefix(line, "*") {
			marked = append(marked, strings.Join(strings.Fields(line), " "))
		}
	}
	if diff := cmp.Diff([]string{"* given_name jo joe near -2.5"}, marked); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(shown, "\x1b") {
		t.Error("colours without a terminal")
	}
}
