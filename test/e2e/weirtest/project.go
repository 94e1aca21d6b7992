package weirtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Exit codes of every command.
const (
	Done    = 0
	Failed  = 1
	Invalid = 2
	Partial = 3
)

// Result is what a command did, as its user sees it.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// JSON decodes what was printed with --json.
func (r Result) JSON(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.Stdout), v); err != nil {
		t.Fatalf("standard output is not the JSON expected: %v\n%s\n%s", err, r.Stdout, r.Stderr)
	}
}

// Project is a project directory of a test.
type Project struct {
	Dir string
	Env []string // added to the commands' environment
	bin string
}

// New makes a project of these files, by path; a starter's weir.yaml and
// identity.yaml are there unless given.
func New(t testing.TB, files map[string]string) *Project {
	t.Helper()
	p := &Project{Dir: filepath.Join(t.TempDir(), "p"), bin: Binary(t)}
	p.must(t, Done, "init", p.Dir)
	for name, text := range files {
		p.Write(t, name, text)
	}
	return p
}

// Shop makes the example shop with so many people.
func Shop(t testing.TB, people string) *Project {
	t.Helper()
	p := &Project{Dir: filepath.Join(t.TempDir(), "shop"), bin: Binary(t)}
	p.must(t, Done, "init", p.Dir, "--example", "shop", "--people", people)
	// A file of another time is another version of it, whose rows have other ids.
	names, err := filepath.Glob(p.Path("data/*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.Chtimes(name, written, written); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// written is when the shop's systems exported their files.
var written = time.Date(2026, 6, 30, 18, 0, 0, 0, time.UTC)

// Copy is the same project in another folder, as a checkout on another machine, without
// what Weir keeps in this one.
func (p *Project) Copy(t testing.TB) *Project {
	t.Helper()
	c := &Project{Dir: filepath.Join(t.TempDir(), filepath.Base(p.Dir)), Env: slices.Clone(p.Env), bin: p.bin}
	if out, err := exec.Command("cp", "-rp", p.Dir, c.Dir).CombinedOutput(); err != nil {
		t.Fatalf("copy the project: %v\n%s", err, out)
	}
	if err := os.RemoveAll(c.Path(".weir")); err != nil {
		t.Fatal(err)
	}
	return c
}

// Path is a file's path in the project.
func (p *Project) Path(name string) string { return filepath.Join(p.Dir, filepath.FromSlash(name)) }

// Write puts a file into the project.
func (p *Project) Write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(p.Path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.Path(name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Read gives a file of the project.
func (p *Project) Read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(p.Path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Replace changes the only place of a file that says old.
func (p *Project) Replace(t testing.TB, name, old, by string) {
	t.Helper()
	text := p.Read(t, name)
	if n := strings.Count(text, old); n != 1 {
		t.Fatalf("%s says %q %d times, not once", name, old, n)
	}
	p.Write(t, name, strings.Replace(text, old, by, 1))
}

func (p *Project) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.bin, args...)
	cmd.Dir = filepath.Dir(p.Dir)
	cmd.Env = append(os.Environ(), p.Env...)
	return cmd
}

// Weir runs a command on the project to its end.
func (p *Project) Weir(t testing.TB, args ...string) Result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := p.command(append(args, "--project", p.Dir)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return Result{Code: cmd.ProcessState.ExitCode(), Stdout: out.String(), Stderr: errs.String()}
}

// Must runs a command that has to end with this exit code.
func (p *Project) Must(t testing.TB, code int, args ...string) Result {
	t.Helper()
	r := p.Weir(t, args...)
	if r.Code != code {
		t.Fatalf("weir %s ended with %d, not %d\n%s\n%s", strings.Join(args, " "), r.Code, code, r.Stdout, r.Stderr)
	}
	return r
}

func (p *Project) must(t testing.TB, code int, args ...string) {
	t.Helper()
	out, err := p.command(args...).CombinedOutput()
	if err != nil || code != Done {
		t.Fatalf("weir %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// Refresh is a run's summary.
type Refresh struct {
	Run struct {
		ID string `json:"id"`
	} `json:"run"`
	Outcome string `json:"outcome"`
	Parts   []Part `json:"parts"`
}

// Part is what one part of a run did.
type Part struct {
	Stage   string           `json:"stage"`
	Part    string           `json:"part"`
	Outcome string           `json:"outcome"`
	RowsIn  int64            `json:"rows_in"`
	RowsOut int64            `json:"rows_out"`
	Counts  map[string]int64 `json:"counts"`
	Error   string           `json:"error"`
	Where   string           `json:"where"`
	Next    string           `json:"next"`
}

// Find gives a part of the summary.
func (r Refresh) Find(t testing.TB, stage, part string) Part {
	t.Helper()
	for _, p := range r.Parts {
		if p.Stage == stage && p.Part == part {
			return p
		}
	}
	t.Fatalf("the summary has no %s %s: %+v", stage, part, r.Parts)
	return Part{}
}

// Run refreshes the project, with the exit code expected.
func (p *Project) Run(t testing.TB, code int, args ...string) Refresh {
	t.Helper()
	var s Refresh
	p.Must(t, code, append([]string{"run", "--json"}, args...)...).JSON(t, &s)
	return s
}
