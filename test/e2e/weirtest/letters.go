package weirtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Letters counts the rows of all files that the shop's agency got.
func Letters(t *testing.T, p *Project) map[string]int {
	t.Helper()
	names, err := filepath.Glob(p.Path("out/*.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
			rows[strings.TrimSpace(line)]++
		}
	}
	return rows
}
