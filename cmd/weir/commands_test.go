package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/workflows"
)

// do runs one command line as main does.
func do(t *testing.T, args ...string) (code int, out, errw string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

func walk(c *cobra.Command, visit func(*cobra.Command)) {
	for _, sub := range c.Commands() {
		if sub.Hidden && !sub.HasSubCommands() || sub.Name() == "help" || sub.Name() == "completion" {
			continue
		}
		visit(sub)
		walk(sub, visit)
	}
}

func TestEveryCommandSaysWhatItIsFor(t *testing.T) {
	names := map[string]bool{}
	walk((&app{}).root(), func(c *cobra.Command) {
		names[c.CommandPath()] = true
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: Short is %q", c.CommandPath(), c.Short)
		}
		if c.Example == "" {
			t.Errorf("%s has no Example", c.CommandPath())
		}
		for _, line := range strings.Split(c.Example, "\n") {
			if of, _, err := (&app{}).root().Find(strings.Fields(strings.TrimPrefix(line, "  weir "))); strings.HasPrefix(line, "  weir ") && (err != nil || !of.HasParent()) {
				t.Errorf("%s: the example %q is of no command", c.CommandPath(), line)
			}
		}
		for _, line := range strings.Split(c.Example, "\n") {
			if c.Example != "" && !strings.HasPrefix(line, "  ") {
				t.Errorf("%s: example line %q is not indented", c.CommandPath(), line)
			}
		}
	})
	for _, want := range []string{"init", "dev", "worker", "run", "plan", "apply", "status", "query", "sync ls", "sync start", "sync pause", "sync resume", "sync backfill", "sync reset",
		"profile get", "identity explain", "identity report", "identity split", "identity link", "identity unlink", "identity undo", "identity decisions", "segment count", "segment preview", "segment explain", "segment overlap", "policy check", "policy test", "policy explain", "policy docs",
		"consent show", "consent history", "activation ls", "activation preview", "activation redrive", "ui", "doctor", "maintain", "backup", "restore", "docs tables", "example receiver", "version"} {
		if !names["weir "+want] {
			t.Errorf("there is no weir %s", want)
		}
	}
}

func TestExitCodesAndMessages(t *testing.T) {
	empty := t.TempDir()
	broken := t.TempDir()
	write(t, broken, "weir.yaml", "name: shop\nlaek: {}\n")
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"--help", exitDone, "Start here"},
		{"version", exitDone, "weir, a development build"},
		{"--version", exitDone, "weir, a development build"},
		{"sync", exitDone, "pause"},
		{"sync pauze crm", exitInvalid, "did you mean weir sync pause?"},
		{"nonsense", exitInvalid, "unknown command"},
		{"status --nonsense", exitInvalid, "--help"},
		{"profile get", exitInvalid, "weir profile get lacks KIND:VALUE"},
		{"run colect", exitInvalid, "did you mean collect? they are collect, conform,"},
		{"backup", exitInvalid, "weir backup lacks FILE.tar.zst; write: weir backup FILE.tar.zst"},
		{"segment explain vip", exitInvalid, "weir segment explain lacks PROFILE"},
		{"segment explain", exitInvalid, "weir segment explain lacks NAME and PROFILE"},
		{"status now", exitInvalid, `weir status takes no argument, and found "now"`},
		{"query select 1", exitInvalid, "found \"1\" besides; put quotes around"},
		{"identity explain a", exitInvalid, "--help"},
		{"segment preview vip --limit 0", exitInvalid, "--limit"},
		{"policy explain p a --now soon", exitInvalid, "2026-01-31T12:00:00Z"},
		{"status --project " + empty, exitInvalid, "weir init DIR"},
		{"status --project " + broken, exitInvalid, "weir.yaml:2"},
		{"doctor --offline --project " + broken, exitInvalid, "lake"},
		{"restore none.tar.zst --project " + empty, exitInvalid, "weir backup"},
		{"backup " + filepath.Join(empty, "b.tar.zst") + " --project " + empty, exitFailed, "no state"},
		{"policy check --project " + empty, exitDone, "nothing to complain of"},
		{"policy check " + filepath.Join(empty, "none"), exitInvalid, "folder"},
		{"policy docs --project " + empty, exitDone, "## D06"},
		{"docs tables", exitDone, "identity.merges"},
		{"docs connectors", exitDone, "webhook"},
		{"docs commands", exitDone, "## weir activation redrive NAME"},
	} {
		t.Run(c.args, func(t *testing.T) {
			code, out, errw := do(t, strings.Fields(c.args)...)
			if code != c.code || !strings.Contains(out+errw, c.says) {
				t.Errorf("exit %d, want %d with %q:\n%s%s", code, c.code, c.says, out, errw)
			}
		})
	}
	if left, err := filepath.Glob(filepath.Join(empty, "*")); err != nil || len(left) > 0 {
		t.Errorf("a failed backup left %v", left)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// With --json standard output is one JSON value, errors included.
func TestJSONIsOneValue(t *testing.T) {
	broken := t.TempDir()
	write(t, broken, "weir.yaml", "name: shop\nlaek: {}\n")
	for _, args := range []string{"version", "status --project " + broken, "doctor --offline --project " + broken, "policy check", "policy docs", "docs tables", "sync nonsense", "profile get"} {
		_, out, _ := do(t, strings.Fields(args+" --json")...)
		dec := json.NewDecoder(strings.NewReader(out))
		var v any
		if err := dec.Decode(&v); err != nil {
			t.Errorf("%s: %v in %q", args, err, out)
			continue
		}
		if dec.More() {
			t.Errorf("%s printed more than one value: %s", args, out)
		}
	}
}

func TestDoctorLooksAtAllPartsThoughOneFails(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "weir.yaml", starterWeir)
	write(t, dir, "identity.yaml", starterIdentity)
	write(t, dir, "destinations/out.yaml", "connector: files\nconfig: {path: out, format: csv}\nprivacy: {role: processor, kind: esp, transfer: none, country: FR, mechanism: adequacy, dpa: true, purposes: []}\n")
	write(t, dir, "sources/crm.yaml", `connector: files
config: {path: data}
streams:
  people:
    path: people.csv
    key: [id]
    as: person
    map: {identifiers: {email: mail}}
`)
	code, out, _ := do(t, "doctor", "--offline", "--json", "--project", dir)
	var v struct {
		OK       bool
		Findings []struct{ Part, Status, Next string }
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for _, f := range v.Findings {
		parts[f.Part] = f.Status
		if f.Status != "ok" && f.Next == "" {
			t.Errorf("%s has no next step", f.Part)
		}
	}
	if code != exitInvalid || v.OK || parts["source crm"] != "fail" || parts["destination out"] != "ok" || parts["policies"] != "ok" || parts["disk"] == "" {
		t.Errorf("exit %d, %v", code, parts)
	}
}

func TestSpansAndTargets(t *testing.T) {
	if got := exitCode(&told{weir.Errorf(weir.Partial, "x")}); got != exitPartial {
		t.Errorf("partly done exits %d", got)
	}
	if got := counts(map[string]int64{"b": 2000, "a": 1}); got != "a 1, b 2000" {
		t.Errorf("%q", got)
	}
}

func TestNotableTellsReasonsAndLossesFirst(t *testing.T) {
	r := workflows.Report{Stage: weir.Decide, Counts: map[string]int64{"rows_in": 9, "classes": 3, "decisions": 9, "evaluations": 4, "a.allow": 5, "a.deny": 4, "a.D06": 1, "a.no_basis": 3, "a.no_key": 2,
		"b.allow": 1, "b.deny": 8, "b.D01": 8}}
	rules := []policies.Rule{{Code: "D06", Title: "Consent was withdrawn"}, {Code: "no_basis", Title: "No legal basis"}}
	if got := notable(r, rules); got != "a D06 (Consent was withdrawn) 1, a denied 4, a no_basis (No legal basis) 3, b D01 8, b denied 8, a without a value for the key 2, a allowed 5, b allowed 1, and 3 more (--json)" {
		t.Error(got)
	}
	r = workflows.Report{Stage: weir.Conform, Counts: map[string]int64{"filtered": 9, "quarantined": 2, "withheld": 1}}
	if got := notable(r, nil); got != "quarantined 2, rows withheld 1, left out by where 9" {
		t.Error(got)
	}
	r = workflows.Report{Stage: weir.Activate, Counts: map[string]int64{"vip_letter.add.delivered": 3}}
	if got := notable(r, nil); got != "vip_letter add delivered 3" {
		t.Error(got)
	}
}
