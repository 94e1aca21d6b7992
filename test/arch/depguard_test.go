package arch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	depguardBegin = "      # rules from test/arch: begin\n"
	depguardEnd   = "      # rules from test/arch: end\n"
)

// depguardRules prints the table of rooms as depguard's rules, so that an editor
// with golangci-lint shows an offence where it is written.
func depguardRules() string {
	var b strings.Builder
	for _, r := range rooms {
		if r.open {
			continue
		}
		fmt.Fprintf(&b, "        # %s\n", r.why)
		fmt.Fprintf(&b, "        %q:\n          list-mode: strict\n          files: [%s]\n", ruleName(r.path), strings.Join(globs(r.path), ", "))
		b.WriteString("          allow:\n            - $gostd\n")
		for _, p := range r.may {
			p = expand(p)
			if prefix, ok := strings.CutSuffix(p, "/..."); ok {
				fmt.Fprintf(&b, "            - %s\n", prefix)
			} else {
				fmt.Fprintf(&b, "            - %s$\n", p)
			}
		}
	}
	return b.String()
}

func ruleName(dir string) string {
	if dir == "." {
		return "weir"
	}
	return strings.NewReplacer("/...", "-below", "/*", "-each", "/", "-").Replace(dir)
}

// globs are the files of a room without its tests and without the rooms inside
// it that have a rule of their own.
func globs(dir string) []string {
	files := func(d string) string {
		switch below, ok := strings.CutSuffix(d, "/..."); {
		case d == ".":
			return "${base-path}/*.go"
		case ok:
			return "${base-path}/" + below + "/**/*.go"
		default:
			return "${base-path}/" + d + "/*.go"
		}
	}
	out := []string{quoted(files(dir)), quoted("!$test")}
	for _, other := range rooms {
		if other.path != dir && strings.Contains(dir, "*") && !strings.Contains(other.path, "*") && matches(dir, other.path) {
			out = append(out, quoted("!"+files(other.path)))
		}
	}
	return out
}

func quoted(s string) string { return `"` + s + `"` }

func TestDepguardHasTheSameRules(t *testing.T) {
	config := read(t, ".golangci.yml")
	before, rest, ok := strings.Cut(config, depguardBegin)
	have, after, ok2 := strings.Cut(rest, depguardEnd)
	if !ok || !ok2 {
		t.Fatal(".golangci.yml has lost the lines between which the rules stand")
	}
	want := depguardRules()
	if have == want {
		return
	}
	if os.Getenv("WEIR_WRITE") == "" {
		t.Fatal(".golangci.yml has other rules than rooms_test.go: run WEIR_WRITE=1 go test ./test/arch -run Depguard")
	}
	if err := os.WriteFile(filepath.Join(root, ".golangci.yml"), []byte(before+depguardBegin+want+depguardEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
