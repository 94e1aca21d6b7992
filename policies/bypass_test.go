package policies

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Invariant 6: `Deliver` without the gate does not compile. Each program in
// testdata/bypass is laid into the module, outside of policies/, and must fail
// with the error that its first line names; the control must build.
func TestBypassDoesNotCompile(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	programs, err := filepath.Glob("testdata/bypass/*.go")
	if err != nil || len(programs) < 8 {
		t.Fatalf("%v %v", programs, err)
	}
	for _, p := range programs {
		t.Run(filepath.Base(p), func(t *testing.T) {
			source, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			real, err := filepath.Abs(p)
			if err != nil {
				t.Fatal(err)
			}
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "bypassattempt", "main.go"): real}})
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "overlay.json")
			if err := os.WriteFile(file, overlay, 0o644); err != nil {
				t.Fatal(err)
			}
			// Type checking, without linking.
			cmd := exec.Command("go", "build", "-overlay", file, "-gcflags=-e", "-o", os.DevNull, "./bypassattempt")
			cmd.Dir = root
			out, err := cmd.CombinedOutput()
			want, attempt := strings.CutPrefix(strings.SplitN(string(source), "\n", 2)[0], "// want: ")
			if !attempt {
				if err != nil {
					t.Fatalf("the control does not build: %v\n%s", err, out)
				}
				return
			}
			if err == nil {
				t.Fatal("it compiles: rows can go without the gate")
			}
			if !regexp.MustCompile(want).Match(out) {
				t.Errorf("it fails for another reason than %q:\n%s", want, out)
			}
		})
	}
}
