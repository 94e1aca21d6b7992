package project

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// labelled is a project's directory whose labels file says this.
func labelled(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"weir.yaml": "name: shop\n", LabelsFile: text} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func answers(t *testing.T, dir string) (out []string) {
	t.Helper()
	p, err := Load(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range p.Labels {
		out = append(out, l.Left+" "+l.Right+" "+l.Answer)
	}
	return out
}

func TestDamagedLabelsAreReported(t *testing.T) {
	dir := labelled(t, strings.Join([]string{`{"left":"b","right":"a","answer":"same"}`, ``, `{"left":"a"`, `{"left":"a","right":"a","answer":"same"}`,
		`{"left":"a","right":"b","answer":"perhaps"}`, `{"left":"a","right":"c","answer":"same","email":"jo@x.org"}`, ``}, "\n"))
	_, err := Load(dir, nil)
	var ps Problems
	if !errors.As(err, &ps) {
		t.Fatal(err)
	}
	var where []string
	for _, p := range ps {
		where = append(where, p.Where)
		if p.Next == "" {
			t.Errorf("%s: nothing to do next", p)
		}
	}
	if d := cmp.Diff([]string{LabelsFile + ":3", LabelsFile + ":4", LabelsFile + ":5", LabelsFile + ":6"}, where); d != "" {
		t.Error(d)
	}
}

func TestTheLastAnswerAboutAPairCounts(t *testing.T) {
	dir := labelled(t, "")
	add := func(left, right, answer string) {
		t.Helper()
		if err := AddLabels(dir, Label{Left: left, Right: right, Answer: answer, Author: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	add("a", "b", Same)
	add("c", "d", Same)
	add("b", "a", Different)
	add("e", "f", Same)
	add("f", "e", Withdrawn)
	if d := cmp.Diff([]string{"a b different", "c d same"}, answers(t, dir)); d != "" {
		t.Error(d)
	}
	if err := AddLabels(dir, Label{Left: "a", Right: "b", Answer: "yes"}); err == nil {
		t.Error("an unknown answer was written")
	}
}

// Whatever a crash leaves of the line that is being written, what was answered
// before is there, and what is answered after too.
func TestACrashCostsAtMostTheLastAnswer(t *testing.T) {
	first := `{"left":"a","right":"b","answer":"same"}` + "\n"
	second := `{"left":"c","right":"d","answer":"different"}` + "\n"
	for cut := range len(second) + 1 {
		dir := labelled(t, first+second[:cut])
		want := []string{"a b same"}
		if cut >= len(second)-1 {
			want = append(want, "c d different")
		}
		if d := cmp.Diff(want, answers(t, dir)); d != "" {
			t.Fatalf("cut at %d: %s", cut, d)
		}
		if err := AddLabels(dir, Label{Left: "e", Right: "f", Answer: Same}); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(append(want, "e f same"), answers(t, dir)); d != "" {
			t.Fatalf("cut at %d, then written: %s", cut, d)
		}
	}
}

func TestManyLabels(t *testing.T) {
	dir := labelled(t, "")
	for i := range 50 {
		if err := AddLabels(dir, Label{Left: fmt.Sprint("a", i), Right: "b", Answer: Same}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(answers(t, dir)); n != 50 {
		t.Error(n)
	}
}
