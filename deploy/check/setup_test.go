package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestSetupKeepsSecretsAndShowsTheProject: what setup.sh makes is closed where it holds
// secrets, and open where weir's user has to read; run again, it changes no secret.
func TestSetupKeepsSecretsAndShowsTheProject(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../compose")); err != nil {
		t.Fatal(err)
	}
	var first string
	for range 2 {
		c := exec.CommandContext(t.Context(), "sh", filepath.Join(dir, "setup.sh"))
		c.Env = []string{"PATH=" + os.Getenv("PATH")}
		if said, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		for name, want := range map[string]os.FileMode{"secrets": 0o700, "project": 0o755, "project/.weir": 0o755} {
			if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v, not %v", name, info.Mode(), err, want)
			}
		}
		secret, err := os.ReadFile(filepath.Join(dir, "secrets", "s3_secret_key"))
		if err != nil || len(secret) != 48 || first != "" && first != string(secret) {
			t.Errorf("a secret of %d characters, %v", len(secret), err)
		}
		first = string(secret)
	}
}
